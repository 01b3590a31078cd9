"""What an evaluation says besides its figures: by class, at other thresholds, without weights.

And what it leaves alone. The figures are checked against scikit-learn, on the predictions that `nnfs predict` writes.
"""

# ruff: noqa: F402, F811 - fixtures are imported

from __future__ import annotations

import csv
import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from nnfs_cli import NnfsWarning, Run, workflows
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.errors import ConfigError, UserError
from nnfs_cli.prediction.threshold import Costs, best_threshold, trade_offs
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import Nnfs, one_message
from tests.prediction.test_decisions import (  # noqa: F401
    ROWS,
    _in_a_folder_of_its_own,
    answers,
    of,
    run,
    runs,
    said,
    table,
    train,
    trained,
)
from tests.prediction.test_threshold import lines

THREE = {
    "layers": [{"linear": 3}],
    "loss": "cross_entropy",
    "metrics": ["accuracy", {"f1": "per_class"}],
}


def three_classes(folder: Path, **changes: object) -> Path:
    """A run with three classes, of which the last is rare and never predicted."""
    rows = [row | {"y": "rare" if i % 50 == 7 else row["y"]} for i, row in enumerate(ROWS)]
    return train(folder, rows, **THREE, **changes)


def evaluated(inside: Nnfs, *words: object) -> dict[str, Any]:
    done = inside("evaluate", *words, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


# By class


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_the_figures_by_class_are_those_of_scikit_learn(tmp_path: Path, inside: Nnfs, write: Any) -> None:
    run = three_classes(tmp_path)
    found = evaluated(inside, run)
    for split in ("validation", "test"):
        rows = [row for row in csv.DictReader(StringIO((tmp_path / "points.csv").read_text())) if row["part"] == split]
        write("rows.csv", table(rows))
        predicted = workflows.predict(RunDirectory.open(run), tmp_path / "rows.csv")["prediction"].tolist()
        truth = [row["y"] for row in rows]
        report = sk.classification_report(truth, predicted, output_dict=True, zero_division=np.nan)
        for label, figures in found["classes"][split].items():
            expected = {name.removesuffix("-score"): value for name, value in report[label].items()}
            figures = {name: np.nan if figure is None else figure for name, figure in figures.items()}
            assert figures == pytest.approx(expected, nan_ok=True)
    assert found["classes"]["validation"]["rare"]["precision"] is None  # never predicted


def test_a_class_without_rows_has_no_recall_and_its_line_no_figures(run: Path, inside: Nnfs, write: Any) -> None:
    rows = [row for row in of("test") if row["y"] == "no"]
    write("no.csv", table(rows))
    found = evaluated(inside, run, "--input", "no.csv", "--threshold", "1")["classes"]["input"]
    assert found["yes"] == {"precision": None, "recall": None, "f1": None, "support": 0}
    assert found["no"] == {"precision": 1, "recall": 1, "f1": 1, "support": len(rows)}
    shown = inside("evaluate", run, "--input", "no.csv", "--threshold", "1").stdout
    assert ["yes", "-", "-", "-", "0"] in [line.split() for line in shown.splitlines()]


def test_of_many_classes_the_table_shows_the_hardest(tmp_path: Path, inside: Nnfs) -> None:
    rows = [row | {"y": f"class {i // 3 % 25}"} for i, row in enumerate(ROWS)]
    with pytest.warns(NnfsWarning, match="may overfit"):
        run = train(tmp_path, rows, layers=[{"linear": 25}], loss="cross_entropy", metrics=["accuracy"])
    done, found = inside("evaluate", run, "--split", "train"), evaluated(inside, run, "--split", "train")
    of_classes = done.stdout.split("\n\n")[1].splitlines()
    assert len(of_classes) == 22
    assert of_classes[-1] == "and 5 classes with a higher f1; --json prints all of them"
    hardest = sorted(found["classes"]["train"].values(), key=lambda figures: figures["f1"])[:20]
    assert [line.split()[-2] for line in of_classes[1:-1]] == [f"{figures['f1']:.4f}" for figures in hardest]


# Thresholds


def test_trade_offs_are_those_of_scikit_learn(runs: tuple[Path, Path], inside: Nnfs, write: Any) -> None:
    for run, weighted in zip(runs, (False, True), strict=True):
        found = evaluated(inside, run, "--costs", "fp=2,fn=3")["trade_offs"]
        for split in ("validation", "test"):
            _, p = answers(inside, run, of(split), write)
            truth, weight = [row["y"] for row in of(split)], [row["w"] if weighted else 1 for row in of(split)]
            for row in found[split]:
                guess = said(p, row["threshold"])
                for name, score in (("precision", sk.precision_score), ("recall", sk.recall_score)):
                    figure = score(truth, guess, pos_label="yes", sample_weight=weight, zero_division=np.nan)
                    assert row[name] == (None if np.isnan(figure) else pytest.approx(figure))
                assert row["predicted"] == pytest.approx(np.average([each == "yes" for each in guess], weights=weight))
                ((_, fp), (fn, _)) = sk.confusion_matrix(truth, guess, sample_weight=weight)
                assert row["cost"] == pytest.approx((2 * fp + 3 * fn) / sum(weight))


PRICES = st.integers(1, 40).map(lambda halves: halves / 2)


@given(
    rows=st.lists(st.tuples(st.floats(0, 1).map(lambda p: round(p, 1)), st.booleans(), st.integers(0, 3)), min_size=1),
    fp=PRICES,
    fn=PRICES,
)
def test_no_threshold_costs_less(rows: list[tuple[float, bool, int]], fp: float, fn: float) -> None:
    p, second, weight = map(np.array, zip(*rows, strict=True))
    costs = Costs(fp, fn)
    threshold = best_threshold(p, second, weight, costs)
    if not weight.any():
        assert threshold == costs.threshold
        return
    (own, *others) = trade_offs(p, second, weight, [threshold, *lines(p[weight > 0])], costs)
    least = min(other.cost or 0 for other in others)
    assert own.cost == pytest.approx(least, abs=1e-12)
    as_good = [other.threshold for other in others if (other.cost or 0) <= least + 1e-12]
    assert abs(threshold - costs.threshold) <= min(abs(each - costs.threshold) for each in as_good) + 1e-12


def test_for_calibrated_probabilities_the_best_threshold_is_the_closed_form() -> None:
    """Within the error of the estimate: near the best threshold, the cost is flat."""
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    second = rng.random(200_000) < p
    for costs in (Costs(1, 20), Costs(1, 1), Costs(9, 1)):
        found = best_threshold(p, second, None, costs)
        assert found == pytest.approx(costs.fp / (costs.fp + costs.fn), abs=0.03)
        best, closed = trade_offs(p, second, None, [found, costs.threshold], costs)
        assert best.cost is not None
        assert best.cost <= (closed.cost or 0) <= 1.01 * best.cost


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_class_weights_do_not_count_in_costs(tmp_path: Path, inside: Nnfs) -> None:
    run = train(tmp_path, class_weights={"yes": 5})
    found = evaluated(inside, run, "--costs", "fp=1,fn=1")
    for split, rows in found["trade_offs"].items():
        counts = found["confusion"][split]
        wrong = counts["no"]["yes"] + counts["yes"]["no"]
        own = next(row for row in rows if row["threshold"] == found["decision"]["threshold"])
        assert own["cost"] == pytest.approx(wrong / 50)


def test_costs_choose_on_validation_rows_and_decide_keeps_the_same(run: Path, inside: Nnfs) -> None:
    found = evaluated(inside, run, "--costs", "fp=1,fn=4", "--split", "test")
    assert found["decision"]["costs"] == {"fp": 1, "fn": 4}
    tried = inside("evaluate", run, "--costs", "fp=1,fn=4")
    assert f"`nnfs decide {run.as_posix()} --costs fp=1,fn=4` keeps it" in tried.stderr
    assert "fp / (fp + fn) = 0.2000 is best for probabilities that match frequencies" in tried.stderr
    assert not (run / "decision.json").exists()
    done = json.loads(inside("decide", run, "--costs", "fp=1,fn=4", "--json").stdout)
    assert done["decision"] == found["decision"] == json.loads((run / "decision.json").read_text())
    both = evaluated(inside, run, "--costs", "fp=1,fn=4", "--threshold", "0.3")
    assert both["decision"] == {"threshold": 0.3, "class": "yes", "by": "hand"}
    assert both["trade_offs"]["test"][0]["cost"] is not None


@pytest.mark.parametrize(
    "text", ["", "1,20", "fp=1", "fp=1,fn=0", "fp=1,fn=-2", "fp=1,fn=x", "fp=1,fn=2,fn=3", "fp=nan,fn=1", "fp=inf,fn=1"]
)
def test_costs_that_make_no_sense_are_refused(text: str, run: Path, inside: Nnfs) -> None:
    for command in ("evaluate", "decide"):
        message = one_message(inside(command, run, f"--costs={text}"), 2)
        assert message == f"error: --costs takes two numbers above 0, such as fp=1,fn=20, found '{text}'\n"


def test_costs_and_thresholds_in_python_are_checked_too(run: Path) -> None:
    opened = Run.open(run)
    for costs in ({"fp": 1}, {"fp": 0, "fn": 1}, {"fp": True, "fn": 1}, (1, 20)):
        with pytest.raises(UserError, match="costs are two numbers above 0 by name"):
            opened.decide(costs=costs)  # type: ignore[arg-type]
    for given_ in ((), (0.3, {"fp": 1, "fn": 1})):
        with pytest.raises(UserError, match="give either a threshold or costs"):
            workflows.decide(RunDirectory.open(run), *given_)
    assert opened.decide(costs={"fp": 1, "fn": 4}) == workflows.evaluate(RunDirectory.open(run)).decision["threshold"]  # type: ignore[index]


# Weights, metrics, intervals


def test_figures_of_weighted_rows_are_shown_without_their_weights_too(
    runs: tuple[Path, Path],
    inside: Nnfs,
    write: Any,
) -> None:
    weighted = runs[1]
    found, shown = evaluated(inside, weighted), inside("evaluate", weighted).stdout
    for split in ("validation", "test"):
        rows = [row for row in of(split) if row["w"]]
        guess, _ = answers(inside, weighted, rows, write)
        truth, weight = [row["y"] for row in rows], [row["w"] for row in rows]
        assert found["metrics"][split]["accuracy"] == pytest.approx(
            sk.accuracy_score(truth, guess, sample_weight=weight)
        )
        assert found["unweighted"][split]["accuracy"] == pytest.approx(sk.accuracy_score(truth, guess))
        line = next(line for line in shown.splitlines() if line.startswith("accuracy")).split()
        assert line[1] == f"{found['metrics']['validation']['accuracy']:.4f}"
        assert line[-1] == f"{found['unweighted']['validation']['accuracy']:.4f}"
    assert evaluated(inside, runs[0])["unweighted"] == {}


def test_any_metric_is_computed_after_the_fact(run: Path, inside: Nnfs, write: Any) -> None:
    found = evaluated(inside, run, "--metrics", "roc_auc, f1: per_class, {top_k_accuracy: {k: 1}}")
    _, p = answers(inside, run, of("test"), write)
    truth = [row["y"] == "yes" for row in of("test")]
    names = ["rows", "loss", "roc_auc", "f1_no", "f1_yes", "top_1_accuracy"]
    assert list(found["metrics"]["test"]) == names
    assert list(found["intervals"]["test"]) == names[2:]
    assert found["metrics"]["test"]["roc_auc"] == pytest.approx(sk.roc_auc_score(truth, p))
    assert Run.open(run).evaluate(metrics=["roc_auc"])["test"]["roc_auc"] == found["metrics"]["test"]["roc_auc"]
    compared = evaluated(inside, run, "--metrics", "brier", "--baselines", "--split", "test")["baselines"]["test"]
    assert {name for figures in compared.values() for name in figures} == {"log_loss", "brier"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("roc_auk", "metrics.0: there is no metric 'roc_auk'; did you mean 'roc_auc'?"),
        ("f1: mean", "metrics.0.f1: expected macro, micro, weighted or per_class, found 'mean'"),
        ("accuracy, rmse", "metrics.1: rmse is a metric for regression; binary_cross_entropy is a loss for"),
        ("f1, f1", "metrics.1: f1 macro is listed twice"),
        ("f1: [", "--metrics takes metrics as in a config, such as 'roc_auc, f1: per_class', found 'f1: ['"),
    ],
)
def test_a_metric_that_does_not_exist_or_fit_is_refused(text: str, message: str, run: Path, inside: Nnfs) -> None:
    assert message in one_message(inside("evaluate", run, "--metrics", text), 2)


def test_a_metric_in_python_that_does_not_exist_is_refused(run: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'roc_auc'"):
        Run.open(run).evaluate(metrics=["roc_auk"])


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_rows_of_groups_are_resampled_by_group(tmp_path: Path) -> None:
    """Groups of many equal rows, from the splits and from another file."""
    rows = [row | {"w": f"g{i}"} for i, row in enumerate(ROWS[:20])] * 15
    changes = {
        "dataset": {"csv": {"path": "points.csv", "target": "y", "drop": "part"}},
        "preprocessing": {"columns": {"a": "none", "b": "none"}, "categories": "one_hot"},
        "metrics": ["log_loss"],
    }
    run = train(tmp_path, rows, **changes, split={"group": "w", "validation": 0.5})
    alone = train(tmp_path, rows, **changes, split={"validation": 0.5})

    def width(run: Path, **how: Any) -> float:
        (found,) = workflows.evaluate(RunDirectory.open(run), **how).intervals.values()
        assert found["log_loss"] is not None
        return found["log_loss"][1] - found["log_loss"][0]

    assert width(run) > 2 * width(alone)
    assert width(run, rows=tmp_path / "points.csv") > 2 * width(alone, rows=tmp_path / "points.csv")


# What is left alone


TRIED: list[list[object]] = [
    [],
    ["--threshold", "0.01"],
    ["--threshold", "best_f1"],
    ["--threshold", "none"],
    ["--costs", "fp=1,fn=50"],
    ["--metrics", "roc_auc"],
    ["--split", "train", "--threshold", "0.99", "--baselines"],
    ["--weights", "last", "--threshold", "0.99"],
    ["--input", "rows.csv", "--threshold", "0.99"],
]


@pytest.mark.parametrize("kept", [pytest.param(None, marks=pytest.mark.slow), "0.3"])
def test_evaluate_changes_neither_predictions_nor_the_run(
    kept: str | None, run: Path, inside: Nnfs, write: Any
) -> None:
    write("rows.csv", table(ROWS))
    if kept:
        assert inside("decide", run, "--threshold", kept).returncode == 0

    def everything() -> tuple[str, dict[str, object]]:
        files: dict[str, object] = {
            path.relative_to(run).as_posix(): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()
        }
        recorded = json.loads(files.pop("status.json"))  # type: ignore[arg-type]
        files |= {f"status of {key}": value for key, value in (recorded | recorded.pop("sha256")).items()}
        answer = inside("predict", "--run", run, "--input", "rows.csv").stdout
        others = {name: content for name, content in files.items() if "evaluation/" not in name}
        return answer, {name: content for name, content in others.items() if name != "status of status.json"}

    before = everything()
    for words in TRIED:
        assert inside("evaluate", run, *words).returncode == 0
        answer, files = everything()
        assert answer == before[0], words
        assert {name for name in files | before[1] if files.get(name) != before[1].get(name)} == set(), words
    Run.open(run).evaluate(threshold=0.01, costs={"fp": 1, "fn": 2})
    assert everything() == before


def test_json_and_python_hold_the_same(run: Path, inside: Nnfs) -> None:
    found, ours = evaluated(inside, run, "--costs", "fp=1,fn=4"), Run.open(run).evaluate(costs={"fp": 1, "fn": 4})
    assert found.pop("metrics") == ours
    assert found.pop("run") == run.as_posix()
    assert found.pop("verdict") == [verdict.plain() for verdict in ours.verdict]
    for name, value in found.items():
        assert json.loads(json.dumps(getattr(ours, name))) == value, name


def test_a_table_is_read_once_and_known_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nnfs_cli import train as train_run

    data = {"a": [row["a"] for row in ROWS], "b": [row["b"] for row in ROWS], "y": [row["y"] for row in ROWS]}
    settings = {"dataset": {"table": "y"}, "layers": ["linear: 1"], "loss": "binary_cross_entropy", "epochs": 1}
    run, calls = train_run(settings, data, folder=tmp_path), []
    for name in ("read", "chunks"):
        method = getattr(InMemory, name)
        monkeypatch.setattr(InMemory, name, lambda *given, m=method, n=name: (calls.append(n), m(*given))[1])
    with pytest.warns(NnfsWarning, match="was trained on this table"):
        assert run.evaluate(data)["input"]["rows"] == len(ROWS)
    assert calls == ["read"]
    assert not run.evaluate({name: column[:-1] for name, column in data.items()}).trained_on


def test_out_of_fold_figures_are_called_so(tmp_path: Path, inside: Nnfs) -> None:
    rows = [row for row in ROWS if row["part"] != "validation"]
    (tmp_path / "points.csv").write_text(table(rows))
    run = train(tmp_path, rows, members=3, holdout="fold")
    shown = inside("evaluate", run, "--baselines")
    assert "validation (50 rows, out of fold)  figure" in shown.stdout
    assert "\nvalidation (out of fold)  log_loss" in shown.stdout
    assert "test (50 rows)  figure" in shown.stdout


def test_a_comparison_of_many_figures_has_a_column_for_each_model(run: Path, inside: Nnfs) -> None:
    words = ("evaluate", run, "--split", "test", "--baselines", "--metrics")
    few = inside(*words, "f1").stdout.split("\n\n")[-1].splitlines()
    many = inside(*words, "f1, brier, roc_auc, log_loss, precision, recall, balanced_accuracy").stdout
    turned = many.split("\n\n")[-1].splitlines()
    assert [line.split()[0] for line in few] == turned[0].split()
    assert {"f1_macro", "balanced_accuracy"} < {line.split()[0] for line in turned}
    assert max(map(len, turned)) <= 80


def test_a_run_with_last_weights_only_says_how_to_use_them(run: Path, tmp_path: Path, inside: Nnfs) -> None:
    copy = tmp_path / "stopped"
    shutil.copytree(run, copy)
    (copy / "weights" / "best.npz").unlink()
    status = json.loads((copy / "status.json").read_text())
    for name in ("weights/best.npz", "status.json"):
        status["sha256"].pop(name, None)
    (copy / "status.json").write_text(json.dumps(status))
    message = one_message(inside("evaluate", copy), 2)
    assert "has no best weights; it has last; use these with --weights last" in message
