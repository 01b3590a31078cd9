"""From probabilities to decisions: thresholds through the command line, and the confusion matrix that a run keeps."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import Nnfs, one_message

Write = Callable[[str, str], Path]

RNG = np.random.default_rng(8)
ROWS = [
    {"a": round(a, 3), "b": round(b, 3), "y": "yes" if a + b + noise > 1.5 else "no", "w": i // 3 % 3, "part": part}
    for i, (a, b, noise) in enumerate(RNG.normal(size=(150, 3)).tolist())
    for part in [("train", "validation", "test")[i % 3]]
]
CONFIG: dict[str, Any] = {
    "dataset": {"csv": {"path": "points.csv", "target": "y", "drop": "w"}},
    "split": {"column": "part"},
    "layers": [{"linear": 1}],
    "loss": "binary_cross_entropy",
    "lr": 0.1,
    "epochs": 5,
    "metrics": ["accuracy", {"f1": "per_class"}],
    "dtype": "float64",
}
WEIGHTED = {"dataset": {"csv": {"path": "points.csv", "target": "y", "weight": "w"}}}
NONE_HELD_BACK = {"split": 0, "dataset": {"csv": {"path": "points.csv", "target": "y", "drop": ["w", "part"]}}}


def of(part: str) -> list[dict[str, Any]]:
    return [row for row in ROWS if row["part"] == part]


def table(rows: list[dict[str, Any]]) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def train(folder: Path, rows: list[dict[str, Any]] = ROWS, **changes: object) -> Path:
    """A run in this folder, named from there."""
    (folder / "points.csv").write_text(table(rows), encoding="utf-8", newline="")
    (folder / "config.yaml").write_text(json.dumps(CONFIG | changes))
    experiment = workflows.prepare(Config.load(folder / "config.yaml"))
    run = workflows.begin(experiment, folder / "runs")
    workflows.train(experiment, run)
    return run.path.relative_to(folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A folder, and two runs in it: one of rows that count alike, one of rows with weights."""
    folder = tmp_path_factory.mktemp("thresholds")
    return folder, train(folder), train(folder, **WEIGHTED)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def runs(trained: tuple[Path, Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """Both runs, to do with as a test likes."""
    shutil.copytree(trained[0], tmp_path, dirs_exist_ok=True)
    return trained[1], trained[2]


@pytest.fixture
def run(runs: tuple[Path, Path]) -> Path:
    return runs[0]


def decision(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "decision.json").read_text()))


def answers(nnfs: Nnfs, run: Path, rows: list[dict[str, Any]], write: Write) -> tuple[list[str], list[float]]:
    """What `nnfs predict` says of rows, and how probable it finds yes."""
    write("rows.csv", table(rows))
    done = nnfs("predict", "--run", run, "--input", "rows.csv")
    assert done.returncode == 0, done.stderr
    answers = list(csv.DictReader(StringIO(done.stdout)))
    return [row["prediction"] for row in answers], [float(row["probability_yes"]) for row in answers]


def said(p: list[float], threshold: float) -> list[str]:
    return ["yes" if each >= threshold else "no" for each in p]


# The choice


@pytest.mark.parametrize("by", ["best_f1", "best_accuracy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_choice_is_the_best_of_all_there_are_on_the_validation_rows(
    by: str, weighted: bool, runs: tuple[Path, Path], inside: Nnfs, write: Write
) -> None:
    run, rows = runs[weighted], of("validation")
    truth, weight = [row["y"] for row in rows], [row["w"] if weighted else 1 for row in rows]
    _, p = answers(inside, run, rows, write)

    def figure(threshold: float) -> float:
        if by == "best_accuracy":
            return float(accuracy_score(truth, said(p, threshold), sample_weight=weight))
        return float(f1_score(truth, said(p, threshold), average="macro", sample_weight=weight))

    counting = sorted({each for each, w in zip(p, weight, strict=True) if w})
    figures = {middle: figure(middle) for middle in [(a + b) / 2 for a, b in pairwise([0, *counting, 1])]}
    best = [line for line, value in figures.items() if value >= max(figures.values()) - 1e-12]
    done = inside("evaluate", run, "--threshold", by, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["decision"]["threshold"] == pytest.approx(min(best, key=lambda line: abs(line - 0.5)), abs=1e-12)
    found_by_class = [found["metrics"]["validation"][name] for name in ("f1_no", "f1_yes")]
    reached = found["metrics"]["validation"]["accuracy"] if by == "best_accuracy" else np.mean(found_by_class)
    assert reached == pytest.approx(max(figures.values()))
    assert json.loads(inside("decide", run, "--threshold", by, "--json").stdout)["decision"] == found["decision"]
    assert decision(run) == {"threshold": found["decision"]["threshold"], "class": "yes", "by": by}


def test_the_second_class_is_decided_for_from_the_threshold_on(run: Path, inside: Nnfs, write: Write) -> None:
    before, p = answers(inside, run, ROWS, write)
    assert before == said(p, 0.5)
    lowest = p.index(min(p))
    for threshold in ("0.3", "0.85", "best_f1", repr(p[lowest])):
        assert inside("decide", run, "--threshold", threshold).returncode == 0
        after, same = answers(inside, run, ROWS, write)
        assert same == p
        assert after == said(p, decision(run)["threshold"])
    assert after[lowest] == "yes" != before[lowest]  # a probability that equals the threshold reaches it


@pytest.mark.parametrize(("threshold", "everything"), [("0", "yes"), ("1", "no")])
def test_the_ends_of_the_range_decide_for_one_class_alone(
    threshold: str, everything: str, run: Path, inside: Nnfs, write: Write
) -> None:
    assert inside("decide", run, "--threshold", threshold).returncode == 0
    assert set(answers(inside, run, ROWS, write)[0]) == {everything}


def test_a_kept_threshold_serves_evaluate_and_predict_which_both_name_it(run: Path, inside: Nnfs, write: Write) -> None:
    plain = json.loads(inside("evaluate", run, "--json").stdout)
    assert plain["decision"] is None
    rule = "threshold   predict 'yes' at probability 0.2000 or more"
    next_ = f"next        nnfs predict --run {run.as_posix()} --input FILE\n"
    kept = f"`nnfs decide {run.as_posix()} --threshold 0.2` keeps it"
    first = inside("evaluate", run, "--threshold", "0.2")
    assert first.stderr == f"{rule} (not kept; {kept})\n{next_}"
    assert not (run / "decision.json").exists()
    assert inside("decide", run, "--threshold", "0.2").stdout == "predict 'yes' at probability 0.2000 or more\n"
    again = inside("evaluate", run)
    assert again.stderr == f"{rule} (kept; `nnfs predict` uses it)\n{next_}"
    assert first.stdout == again.stdout
    later = json.loads(inside("evaluate", run, "--json").stdout)
    assert later["decision"] == {"threshold": 0.2, "class": "yes", "by": "hand"}
    assert later["metrics"]["test"]["loss"] == plain["metrics"]["test"]["loss"]
    assert later["metrics"]["test"]["accuracy"] != plain["metrics"]["test"]["accuracy"]
    write("rows.csv", table(ROWS))
    assert inside("predict", "--run", run, "--input", "rows.csv").stderr.splitlines()[:-1] == [
        f"{rule} (kept by `nnfs decide`)"
    ]
    assert decision(run) == {"threshold": 0.2, "class": "yes", "by": "hand"}


def test_figures_follow_the_threshold_in_every_split(run: Path, inside: Nnfs, write: Write) -> None:
    done = inside("evaluate", run, "--threshold", "0.3", "--split", "train", "--split", "test", "--json")
    for part, figures in json.loads(done.stdout)["metrics"].items():
        predictions = said(answers(inside, run, of(part), write)[1], 0.3)
        truth = [row["y"] for row in of(part)]
        assert figures["accuracy"] == pytest.approx(accuracy_score(truth, predictions))
        assert figures["f1_yes"] == pytest.approx(f1_score(truth, predictions, pos_label="yes"))


@pytest.mark.parametrize("threshold", ["best_accuracy", "0.4"])
def test_a_threshold_is_tried_on_rows_of_another_file(threshold: str, run: Path, inside: Nnfs, write: Write) -> None:
    inside("decide", run, "--threshold", threshold)
    expected = decision(run)["threshold"]
    write("others.csv", table(of("test")[:20]))
    done = inside("evaluate", run, "--threshold", threshold, "--input", "others.csv", "--json")
    assert json.loads(done.stdout)["decision"]["threshold"] == expected
    predictions, _ = answers(inside, run, of("test")[:20], write)
    accuracy = accuracy_score([row["y"] for row in of("test")[:20]], predictions)
    assert json.loads(done.stdout)["metrics"]["input"]["accuracy"] == pytest.approx(accuracy)


# What is refused


@pytest.mark.parametrize(
    "value", ["", "best", "BEST_F1", "f1", "-0.1", "1.1", "nan", "inf", "30%", "0,3", "0.5 0.6", "true", "[red]"]
)
def test_a_threshold_that_makes_no_sense_is_refused(value: str, run: Path, inside: Nnfs) -> None:
    message = one_message(inside("decide", run, f"--threshold={value}"), 2)
    assert one_message(inside("evaluate", run, f"--threshold={value}"), 2) == message
    assert (
        message == f"error: --threshold takes best_f1, best_accuracy, a number from 0 to 1 or none, found '{value}'\n"
    )
    assert not (run / "decision.json").exists()


@pytest.mark.parametrize("threshold", ["best_f1", "0.3"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dataset": "iris", "layers": [{"linear": 3}], "loss": "cross_entropy", "split": 0.2}, "3 classes"),
        ({"loss": "hinge"}, "hinge"),
        ({"dataset": "diabetes", "loss": "mse", "split": 0.2, "metrics": ["r2"]}, "mse"),
    ],
    ids=["three classes", "scores", "numbers"],
)
def test_a_threshold_is_for_the_probabilities_of_two_classes(
    changes: dict[str, Any], reason: str, threshold: str, tmp_path: Path, inside: Nnfs
) -> None:
    run = train(tmp_path, **changes)
    message = one_message(inside("decide", run, "--threshold", threshold), 2)
    assert one_message(inside("evaluate", run, "--threshold", threshold), 2) == message
    assert message.startswith("error: a threshold divides the probabilities of two classes; ")
    assert reason in message
    assert "0 classes" not in message
    assert not (run / "decision.json").exists()


def test_without_validation_rows_there_is_nothing_to_choose_by(tmp_path: Path, inside: Nnfs) -> None:
    run = train(tmp_path, **NONE_HELD_BACK)
    message = one_message(inside("decide", run, "--threshold", "best_f1"), 2)
    assert message == f"error: {run} has no validation rows to choose a threshold on; give a number, such as 0.3\n"
    assert one_message(inside("evaluate", run, "--costs", "fp=1,fn=2"), 2) == message
    assert inside("decide", run, "--threshold", "0.3").returncode == 0
    assert decision(run)["threshold"] == 0.3


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[0.3]", "{}", '{"threshold": null}', '{"threshold": "0.3"}', '{"threshold": [0.3]}',
        '{"threshold": true}', '{"threshold": NaN}', '{"threshold": Infinity}', '{"threshold": 3}',
        '{"threshold": -0.1}', "\x00\x01",
    ],
)  # fmt: skip
def test_a_damaged_decision_is_a_clear_error(content: str, run: Path, inside: Nnfs, write: Write) -> None:
    write("rows.csv", table(ROWS))
    (run / "decision.json").write_text(content)
    for words in (["evaluate", run], ["evaluate", run, "--json"], ["predict", "--run", run, "--input", "rows.csv"]):
        message = one_message(inside(*words), 2)
        assert message.startswith(f"error: {run}")
        assert "damaged" in message
        assert "decision.json" in message


@pytest.mark.parametrize("content", ["", '{"threshold": null}'])
def test_another_threshold_takes_the_place_of_a_damaged_one(content: str, run: Path, inside: Nnfs) -> None:
    (run / "decision.json").write_text(content)
    assert inside("decide", run, "--threshold", "best_f1").returncode == 0
    assert decision(run)["by"] == "best_f1"


# The confusion matrix


@pytest.mark.parametrize(
    "labels",
    [
        ("a,b", 'c"d'),
        ("é ü", "漢字"),
        ("one\ntwo", "onetwo"),
        (" x", "x"),
        ("x\u2028y", "x"),
        ("x\x85y", "x\x0cz"),
        ("\x1b[31mred", "[red]"),
        ("truth", "prediction"),
        ("=1+1", "#"),
    ],
    ids=repr,
)
def test_the_matrix_counts_the_predictions_whatever_the_labels(
    labels: tuple[str, str], tmp_path: Path, inside: Nnfs
) -> None:
    rows = [row | {"y": labels[row["y"] == "yes"]} for row in ROWS]
    run = train(tmp_path, rows)
    done = inside("evaluate", run, "--split", "train", "--split", "test", "--json")
    assert done.returncode == 0, done.stderr
    for part, confusion in json.loads(done.stdout)["confusion"].items():
        own = [row for row in rows if row["part"] == part]
        (tmp_path / "rows.csv").write_text(table(own), encoding="utf-8", newline="")
        predictions = workflows.predict(RunDirectory.open(run), tmp_path / "rows.csv")["prediction"]
        counts = Counter(zip([row["y"] for row in own], predictions.tolist(), strict=True))
        expected = {truth: {label: counts[truth, label] for label in sorted(labels)} for truth in sorted(labels)}
        assert confusion == RunDirectory.open(run).records.confusion(part) == expected
        with (run / "evaluation" / part / "confusion.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = csv.reader(file)
        assert header == ["truth", *sorted(labels)]
        assert {truth: dict(zip(header[1:], map(int, cells), strict=True)) for truth, *cells in lines} == expected
    shown = inside("evaluate", run).stdout
    assert not {"\x1b", "\x85", "\u2028"} & set(shown)
    assert len(shown.splitlines()) == 38  # of two splits the figures, figures by class and matrices, and one trade-off


def test_training_leaves_a_matrix_of_each_split_and_a_threshold_changes_it(run: Path, inside: Nnfs) -> None:
    def counts(part: str) -> list[list[int]]:
        matrix = RunDirectory(run).records.confusion(part)
        return [list(of_truth.values()) for of_truth in matrix.values()] if matrix else []

    inside("evaluate", run)  # goes into the folder
    for part in ("train", "validation", "test"):
        assert np.sum(counts(part)) == 50
        figures = RunDirectory(run).metrics()[part]
        assert np.trace(counts(part)) / 50 == pytest.approx(figures["accuracy"])
    before = counts("train")
    inside("evaluate", run, "--threshold", "0")
    assert np.sum(counts("test"), axis=0).tolist() == [0, 50]
    assert counts("train") == before


def test_there_is_none_for_numbers(tmp_path: Path, inside: Nnfs) -> None:
    run = train(tmp_path, dataset="diabetes", loss="mse", split=0.2, metrics=["r2"])
    assert not (run / "evaluation").exists()
    assert RunDirectory(run).records.confusion("validation") is None
    done = inside("evaluate", run, "--json")
    assert (json.loads(done.stdout)["confusion"], json.loads(done.stdout)["decision"]) == ({}, None)


def test_a_matrix_too_wide_for_a_terminal_stays_in_its_file(tmp_path: Path, inside: Nnfs) -> None:
    rows = [row | {"y": f"class {i % 11}"} for i, row in enumerate(ROWS)]
    run = train(tmp_path, rows, layers=[{"linear": 11}], loss="cross_entropy", metrics=["accuracy"])
    done = inside("evaluate", run, "--split", "test")
    assert "true class (rows)" not in done.stdout
    matrix, verdict, _ = done.stderr.splitlines()
    assert matrix == f"{run.as_posix()}/evaluation/test holds the confusion matrix"
    assert verdict.startswith("verdict     'class 0', ")


def test_a_threshold_can_be_forgotten(run: Path, inside: Nnfs) -> None:
    plain = inside("evaluate", run)
    inside("decide", run, "--threshold", "0.2")
    assert (run / "decision.json").exists()
    tried = inside("evaluate", run, "--threshold", "none")
    assert (tried.returncode, tried.stdout) == (0, plain.stdout)
    assert (run / "decision.json").exists()
    done = inside("decide", run, "--threshold", "none")
    assert (done.returncode, done.stdout) == (0, "predict the class of the highest probability\n")
    assert not (run / "decision.json").exists()
    assert inside("decide", run, "--threshold", "none").returncode == 0


def test_a_threshold_is_kept_for_the_best_weights(run: Path, inside: Nnfs, write: Write) -> None:
    write("rows.csv", table(ROWS))
    before = inside("predict", "--run", run, "--input", "rows.csv", "--weights", "last").stdout
    inside("decide", run, "--threshold", "0.01")
    after = inside("predict", "--run", run, "--input", "rows.csv", "--weights", "last", "-q")
    assert (after.stdout, after.stderr) == (before, "")
