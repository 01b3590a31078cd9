"""The command as a script or a person uses it: exit codes, streams, signals, pipes and terminals."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import __version__
from nnfs_cli.display.lines import Lines
from nnfs_cli.display.stderr import note
from nnfs_cli.runs.directory import RunDirectory
from tests.command import run_here
from tests.conftest import Nnfs, one_message, weights_of

Write = Callable[[str, str], Path]
Terminal = Callable[..., tuple[int, str]]

ROWS = [(i % 10 / 10, i // 10 / 10) for i in range(60)]
POINTS = "a,b,group\n" + "".join(f"{a},{b},{'high' if a > b else 'low'}\n" for a, b in ROWS)
CONFIG = """\
dataset: {csv: {path: points.csv, target: group}}
layers: [linear: 1]
loss: binary_cross_entropy
lr: 0.1
epochs: 3
"""
DIABETES = """\
dataset: diabetes
layers: [linear: 1]
loss: mse
epochs: 3
"""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Like `-m nnfs_cli`, but Ctrl-C reaches it even if the tests run in the background, where it is ignored.
INTERRUPTIBLE = [
    sys.executable,
    "-c",
    "import runpy, signal\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "runpy.run_module('nnfs_cli', run_name='__main__', alter_sys=True)",
]
posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals are those of Unix")


class Trained:
    """A folder with points.csv, config.yaml and two runs of it, and how their training went."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "points.csv").write_text(POINTS)
        (folder / "config.yaml").write_text(CONFIG)
        self.first = self.train()
        self.second = self.train("--json", "--set", "seed=1")

    def train(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nnfs_cli", "train", "config.yaml", *words]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=True)

    def metrics(self, run: str) -> dict[str, Any]:
        return dict(json.loads((self.folder / run / "metrics.json").read_text()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two runs to look at; tests leave them as they are."""
    return Trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def points(write: Write) -> Path:
    """A folder with points.csv and config.yaml, to train in."""
    write("points.csv", POINTS)
    return write("config.yaml", CONFIG).parent


# Train


def test_train_prints_the_run_directory_on_stdout_and_all_else_on_stderr(trained: Trained) -> None:
    assert trained.first.stdout == "runs/config-1\n"
    lines = trained.first.stderr.splitlines()
    assert [line.split()[0] for line in lines if line] == [
        "data", "model", "training", "epoch", "1", "2", "3", "best", "validation", "verdict", "report", "next",
    ]  # fmt: skip
    assert lines[0].endswith("60 rows, 2 numbers -> 2 classes (high 65 %, low 35 %); 48 to train, 12 to validate")


def test_a_second_train_makes_a_directory_of_its_own(trained: Trained) -> None:
    assert sorted(path.name for path in (trained.folder / "runs").iterdir()) == ["config-1", "config-2"]


def test_json_is_one_object_on_stdout(trained: Trained) -> None:
    assert trained.second.stdout.count("\n") == 1
    found = json.loads(trained.second.stdout)
    assert {key: found[key] for key in ("run", "metrics")} == {
        "run": "runs/config-2", "metrics": trained.metrics("runs/config-2"),
    }  # fmt: skip
    assert {key for verdict in found["verdict"] for key in verdict} == {"code", "severity", "sentence", "remedy"}
    assert "epoch" in trained.second.stderr


def test_a_quiet_train_prints_the_run_directory_and_nothing_else(points: Path, inside: Nnfs) -> None:
    done = inside("train", "config.yaml", "--quiet", "--runs", "elsewhere/deep")
    assert (done.returncode, done.stdout, done.stderr) == (0, "elsewhere/deep/config-1\n", "")
    assert (points / "elsewhere" / "deep" / "config-1" / "metrics.json").is_file()


def test_a_quiet_train_still_warns(points: Path, inside: Nnfs) -> None:
    done = inside("train", "config.yaml", "-q", "--json", "--set", "layers=[linear: 30, relu, linear: 1]")
    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == {"run", "metrics", "verdict"}
    assert one_line(done.stderr).startswith("warning: the net has 121 parameters for 48 training rows")


def one_line(text: str) -> str:
    assert text.count("\n") == 1
    return text


@pytest.mark.parametrize("runs", ["points.csv", "points.csv/inner"])
def test_runs_that_cannot_be_a_folder_are_named(runs: str, points: Path, inside: Nnfs) -> None:
    done = inside("train", "config.yaml", "--quiet", "--runs", runs)
    assert done.returncode in (2, 4)
    assert one_line(done.stderr).startswith("error: points.csv")


def test_a_diverging_run_exits_with_3_and_a_message(inside: Nnfs, write: Write, tmp_path: Path) -> None:
    write("config.yaml", DIABETES)
    done = inside("train", "config.yaml", "--set", "lr=1e30", "--set", "batch_size=full")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "error: training diverged: the loss is " in done.stderr
    assert "try a smaller lr" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    assert json.loads((tmp_path / "runs" / "config-1" / "status.json").read_text())["state"] == "diverged"


# Evaluate


def test_evaluate_shows_the_held_out_rows(trained: Trained, nnfs: Nnfs) -> None:
    done = nnfs("evaluate", "runs/config-1", cwd=trained.folder)
    of_split, by_class, confusion, trade_off = (block.splitlines() for block in done.stdout.split("\n\n"))
    figures = trained.metrics("runs/config-1")["validation"]
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == "next        nnfs predict --run runs/config-1 --input FILE"
    assert of_split[0].split("  ")[0] == "validation (12 rows)"
    assert of_split[1].split() == ["loss", f"{figures['loss']:.4f}"]
    assert of_split[2].split()[:2] == ["accuracy", f"{figures['accuracy']:.4f}"]
    assert [line.split()[0] for line in by_class] == ["validation", "high", "low"]
    assert trade_off[1].split() == ["threshold", "precision", "recall", "predicted"]
    _, labels, *counted = (line.split() for line in confusion)
    assert [line[0] for line in counted] == labels == ["high", "low"]
    counts = np.array([line[1:] for line in counted], int)
    assert counts.sum() == 12
    assert counts.trace() / 12 == pytest.approx(figures["accuracy"])


def test_evaluate_shows_the_named_splits_as_json_too(trained: Trained, inside: Nnfs) -> None:
    done = inside(
        "evaluate", "runs/config-2", "--split", "train", "--split", "validation", "--json", cwd=trained.folder
    )
    expected = trained.metrics("runs/config-2")
    del expected["best_epoch"]
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    confusion = {part: counts for part, counts in found.pop("confusion").items() if sum(map(len, counts.values())) == 4}
    assert list(confusion) == ["train", "validation"]
    assert {key: found[key] for key in ("run", "metrics", "decision", "unweighted")} == {
        "run": "runs/config-2", "metrics": expected, "decision": None, "unweighted": {},
    }  # fmt: skip
    for key in ("intervals", "classes", "trade_offs"):
        assert list(found[key]) == ["train", "validation"]


def test_evaluate_takes_rows_of_another_file(trained: Trained, inside: Nnfs, write: Write) -> None:
    other = write("other.csv", "group,b,a\nlow,0.9,0.1\nhigh,0.1,0.9\nlow,0.8,0.2\n")
    done = inside("evaluate", trained.folder / "runs/config-1", "--input", other, "--json")
    assert done.returncode == 0
    assert set(json.loads(done.stdout)["metrics"]) == {"input"}
    assert json.loads(done.stdout)["metrics"]["input"]["rows"] == 3
    assert "trained on" not in done.stderr


def test_evaluate_warns_about_the_file_that_the_run_was_trained_on(trained: Trained, inside: Nnfs) -> None:
    done = inside("evaluate", "runs/config-1", "--input", "points.csv", "--quiet", cwd=trained.folder)
    assert done.returncode == 0
    assert done.stderr == (
        "warning: points.csv is the file that runs/config-1 was trained on, so these figures include rows that the net"
        " has learned from; leave --input out\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["runs/config-1", "--split", "test"],
            "error: runs/config-1 has no test rows; it has train and validation rows\n",
        ),
        (
            ["runs/config-9"],
            "error: there is no run directory runs/config-9; runs of that config are runs/config-2 and runs/config-1\n",
        ),
        (["confg-2"], "error: there is no run directory confg-2; did you mean 'runs/config-2'?\n"),
        (["runs/confg-1"], "error: there is no run directory runs/confg-1; did you mean 'runs/config-1'?\n"),
        (["runs/wibble-1"], "error: there is no run directory runs/wibble-1\n"),
        (
            ["points.csv"],
            "error: points.csv is a table, not a run directory; `nnfs evaluate --input points.csv` scores its rows, and"
            " `nnfs predict --input points.csv` predicts them\n",
        ),
        (
            ["config.yaml"],
            "error: config.yaml is a config, not a run directory; its runs are runs/config-2 and runs/config-1\n",
        ),
        (["runs"], "error: runs is a folder of runs; name one of them: runs/config-2 and runs/config-1\n"),
        (["."], "error: . is not a run directory: it has no spec.yaml\n"),
        (["runs/config-1", "--input", "gone.csv"], "error: there is no file gone.csv\n"),
        (["runs/config-1", "--input", "confi.csv"], "error: there is no file confi.csv\n"),  # config.yaml is no table
        (
            ["runs/config-1", "--metrics", "f1:perclass"],
            "error: metrics.0.f1: expected macro, micro, weighted or"
            " per_class, found 'perclass'; did you mean 'per_class'?\n",
        ),
        (["runs/config-1", "--input", "point.csv"], "error: there is no file point.csv; did you mean 'points.csv'?\n"),
    ],
)
def test_evaluate_names_what_is_missing(words: list[str], message: str, trained: Trained, inside: Nnfs) -> None:
    assert one_message(inside("evaluate", *words, cwd=trained.folder), 2) == message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("points.csv", "error: points.csv is a table; `nnfs init points.csv` writes a config for it\n"),
        (
            "runs/config-1",
            "error: runs/config-1 is a run directory; `nnfs resume runs/config-1` continues it, and"
            " runs/config-1/spec.yaml is its config\n",
        ),
        ("config", "config: error: there is no such file; did you mean 'config.yaml'?\n"),
        ("confg.yaml", "confg.yaml: error: there is no such file; did you mean 'config.yaml'?\n"),
        (
            "runs/config",
            "runs/config: error: there is no such file; runs of that config are runs/config-2 and runs/config-1\n",
        ),
        (
            "gone.csv",
            "gone.csv: error: there is no such file; a config is a YAML file, and `nnfs init` writes one for a table\n",
        ),
    ],
)
def test_train_names_the_command_or_the_config_that_may_be_meant(
    name: str, message: str, trained: Trained, inside: Nnfs
) -> None:
    assert one_message(inside("train", name, cwd=trained.folder), 2) == message


# Predict


@pytest.fixture(scope="module")
def answers(trained: Trained) -> str:
    """The predictions of the first run for points.csv."""
    command = [sys.executable, "-m", "nnfs_cli", "predict", "--run", "runs/config-1", "--input", "points.csv"]
    return subprocess.run(command, cwd=trained.folder, capture_output=True, text=True, check=True).stdout


def test_predict_answers_every_row_as_csv(answers: str) -> None:
    header, *rows = (line.split(",") for line in answers.splitlines())
    assert header == ["prediction", "probability_high", "probability_low"]
    assert len(rows) == 60
    for label, high, low in rows:
        assert float(high) + float(low) == pytest.approx(1)
        assert label == ("high" if float(high) >= float(low) else "low")


@pytest.mark.parametrize(
    "table",
    ['a;b;group\n"0,1";"0,2";low\n', '"a, b";c;group\n"0,1,2";2;low\n', "a, b;c;group\n0,1,2;2;low\n"],
    ids=["one name", "a comma in a quoted name", "a comma in a name"],
)
def test_predict_asks_about_another_delimiter_and_names_the_newest_run(
    table: str, trained: Trained, inside: Nnfs, write: Write
) -> None:
    path = write("other.csv", table)
    done = inside("predict", "--input", path, "--quiet", cwd=trained.folder)
    assert done.returncode == 2
    assert "; is the delimiter ';'?\nthe run is runs/config-2, the newest; --run names another one\n" in done.stderr
    for words in (["--run", "runs/config-2", "--quiet"], []):
        done = inside("predict", "--input", path, *words, cwd=trained.folder)
        assert "is the delimiter ';'?" in done.stderr
        assert "names another one" not in done.stderr


def test_predict_takes_the_newest_run_and_names_it_on_stderr(trained: Trained, answers: str, inside: Nnfs) -> None:
    newest = inside("predict", "--input", "points.csv", cwd=trained.folder)
    second = inside("predict", "--input", "points.csv", "--run", "runs/config-2", cwd=trained.folder)
    assert newest.stdout == second.stdout
    assert newest.stdout != answers
    next_ = "next        --output FILE.csv or FILE.parquet writes the predictions to a file\n"
    assert newest.stderr == f"run         runs/config-2, the newest\n{next_}"
    assert second.stderr == next_


@pytest.mark.parametrize(
    "columns",
    [("group", "b", "a"), ("b", "a"), ("b", "x", "group", "a")],
    ids=["shuffled", "without the target", "with others"],
)
def test_columns_are_found_by_name_and_the_target_is_ignored(
    columns: tuple[str, ...], trained: Trained, answers: str, inside: Nnfs, write: Write
) -> None:
    lines = [",".join(columns)]
    for a, b in ROWS:
        row = {"a": a, "b": b, "group": "never seen", "x": "?"}
        lines.append(",".join(str(row[name]) for name in columns))
    write("rows.csv", "\n".join(lines) + "\n")
    done = inside("predict", "--run", trained.folder / "runs/config-1", "--input", "rows.csv")
    assert (done.returncode, done.stdout) == (0, answers)


def test_the_output_is_the_same_in_a_file(trained: Trained, answers: str, inside: Nnfs, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    done = inside(
        "predict", "--run", "runs/config-1", "--input", "points.csv", "--output", output, cwd=trained.folder
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    output_line, next_line = done.stderr.splitlines()
    assert output_line.endswith(f"out.csv, {len(answers.splitlines()) - 1} predictions")
    assert next_line.startswith("next        --")
    assert output.read_text() == answers
    assert os.listdir(tmp_path) == ["out.csv"]


def test_a_prediction_that_fails_leaves_the_output_as_it_was(
    trained: Trained, inside: Nnfs, write: Write, tmp_path: Path
) -> None:
    write("rows.csv", "a,b\n1,2\n1,x\n")
    write("out.csv", "precious")
    run = trained.folder / "runs/config-1"
    message = one_message(inside("predict", "--run", run, "--input", "rows.csv", "--output", "out.csv"), 2)
    assert message == "error: rows.csv, line 3: column 'b' should hold numbers, found 'x'\n"
    assert (tmp_path / "out.csv").read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == ["out.csv", "rows.csv"]


@pytest.mark.parametrize("output", ["gone/out.csv", "runs", "points.csv/out.csv"])
def test_an_output_that_cannot_be_written_is_named(output: str, trained: Trained, inside: Nnfs) -> None:
    done = inside("predict", "--run", "runs/config-1", "--input", "points.csv", "--output", output, cwd=trained.folder)
    message = one_message(done, done.returncode)
    assert done.returncode in (2, 4)
    assert output.split("/")[0] in message
    assert ".tmp" not in message
    assert sorted(os.listdir(trained.folder)) == ["config.yaml", "points.csv", "runs"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,c\n1,2\n", "error: rows.csv lacks 1 column: 'b'\n"),
        ("x,y\n1,2\n", "error: rows.csv lacks 2 columns: 'a' and 'b'\n"),
        ("a,b\n", "error: rows.csv has a header but no rows\n"),
        ("", "error: rows.csv is empty\n"),
        ("a,b\n1,2\n1\n", "error: rows.csv, line 3: 1 cell where the header has 2\n"),
        (
            "a,b\n1,\n",
            "error: rows.csv, line 2: column 'b' is empty; the net has no step impute for this column; fill in the"
            " number, or leave out the row\n",
        ),
    ],
)
def test_rows_that_cannot_be_predicted_are_explained(
    text: str, message: str, trained: Trained, inside: Nnfs, write: Write
) -> None:
    write("rows.csv", text)
    done = inside("predict", "--run", trained.folder / "runs/config-1", "--input", "rows.csv")
    assert one_message(done, 2) == message


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["--input", "gone.csv", "--run", "runs/config-1"], "error: there is no file gone.csv"),
        (
            ["--input", "config.yaml", "--run", "runs/config-1"],
            "error: config.yaml",
        ),
        (["--input", "points.csv", "--run", "gone"], "error: there is no run directory gone"),
        (["--input", "points.csv", "--runs", "gone"], "error: there is no trained run in gone"),
    ],
)
def test_predict_names_what_is_missing(words: list[str], start: str, trained: Trained, inside: Nnfs) -> None:
    assert one_message(inside("predict", *words, cwd=trained.folder), 2).startswith(start)


# The command itself


def test_the_program_and_the_module_are_the_same(nnfs: Nnfs) -> None:
    program = Path(sys.executable).with_name("nnfs.exe" if os.name == "nt" else "nnfs")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == nnfs("--version").stdout == f"nnfs {__version__}\n"


def test_no_arguments_print_the_help(inside: Nnfs) -> None:
    done, asked = inside(), inside("--help")
    assert "Usage: nnfs" in done.stdout + done.stderr
    assert asked.returncode == 0
    for command in ("train", "evaluate", "predict", "components", "schema"):
        assert command in asked.stdout
        assert command in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["wibble"], "wibble"),
        (["train"], "CONFIG"),
        (["train", "config.yaml", "--wibble"], "--wibble"),
        (["train", "config.yaml", "[red]second[/red]"], "[red]second[/red]"),
        (["evaluate", "runs/config-1", "runs/config-2"], "runs/config-2"),
        (["evaluate", "runs/config-1", "--split", "tset"], "tset"),
        (["evaluate", "runs/config-1", "--split", "train", "--input", "points.csv"], "--split or --input"),
        (["predict"], "--input"),
        (["predict", "--input", "points.csv", "--weights", "worst"], "worst"),
        (["components", "lienar"], "did you mean 'linear'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_are_named_with_exit_code_2(
    words: list[str], named: str, trained: Trained, inside: Nnfs
) -> None:
    done = inside(*words, cwd=trained.folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert named in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "next_"),
    [
        ("init points.csv --target group --output new.yaml", "nnfs check new.yaml, then nnfs train new.yaml"),
        ("check config.yaml", "nnfs train config.yaml"),
        ("cv config.yaml --folds 2", "nnfs train config.yaml"),
        ("train config.yaml", "nnfs evaluate runs/config-1, then nnfs predict --input FILE"),
        ("resume runs/config-1 --epochs 4", "nnfs evaluate runs/config-1, then nnfs predict --input FILE"),
        ("evaluate runs/config-1", "nnfs predict --run runs/config-1 --input FILE"),
        ("predict --input points.csv", "--output FILE.csv or FILE.parquet writes the predictions to a file"),
        ("predict --input points.csv --output o.csv --interval 0.9", "--drift reports how far these rows are"),
        ("components layers", "nnfs components NAME describes one of them"),
        ("schema --output s.json", "begin a config with the comment # yaml-language-server: $schema=s.json"),
    ],
)
def test_a_command_ends_with_what_to_do_next_unless_it_is_quiet(
    words: str, next_: str, points: Path, inside: Nnfs
) -> None:
    if "runs/" in words or words.startswith("predict"):
        assert inside("train", "config.yaml", "-q").returncode == 0
    done = inside(*words.split())
    assert done.returncode == 0, done.stderr
    *_, last = done.stderr.splitlines()
    assert " ".join(last.split()).startswith(f"next {next_}")
    assert "next  " not in done.stdout
    (points / "new.yaml").unlink(missing_ok=True)
    quiet = inside(*words.replace("--epochs 4", "--epochs 5").split(), "--quiet")
    assert quiet.returncode == 0
    assert "next  " not in quiet.stderr


@pytest.mark.parametrize(
    "words", [[], ["--help"], ["--version"], ["train", "--help"], ["predict", "--help"]], ids=" ".join
)
def test_help_imports_nothing_that_is_slow(words: list[str]) -> None:
    assert not imported(*words) & {"numpy", "sklearn", "scipy", "pyarrow", "yaml"}


def test_a_table_is_predicted_without_scikit_learn(trained: Trained) -> None:
    run, rows = trained.folder / "runs/config-1", trained.folder / "points.csv"
    modules = imported("predict", "--run", run, "--input", rows)
    assert {"numpy", "pyarrow"} < modules
    assert not modules & {"sklearn", "scipy"}


def imported(*words: object) -> set[str]:
    """The packages that a command imports."""
    command = [sys.executable, "-X", "importtime", "-m", "nnfs_cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}


# Signals


def test_a_line_is_written_in_one_call_so_that_nothing_interrupts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    class Stderr(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    monkeypatch.setattr("sys.stderr", Stderr())
    Lines().write("  1  0.5")
    note("and more")
    assert written == ["  1  0.5\n", "and more\n"]


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_training_keeps_what_it_learned(
    number: signal.Signals, code: int, points: Path, inside: Nnfs
) -> None:
    process = subprocess.Popen(
        [*INTERRUPTIBLE, "train", "config.yaml", "--set", "epochs=100000000"],
        cwd=points,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        while process.stderr.readline().split()[:1] != ["10"]:  # ten epochs
            assert process.poll() is None
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=5)
    finally:
        process.kill()
    assert process.returncode == code
    assert stdout == ""
    kept = "interrupted: runs/config-1 keeps what was learned so far; to continue:"
    assert stderr.splitlines()[-2:] == [kept, "  nnfs resume runs/config-1"]
    assert "Traceback" not in stderr
    run = points / "runs" / "config-1"
    assert json.loads((run / "status.json").read_text())["state"] == "interrupted"
    assert set(weights_of(RunDirectory(run), "last")) == {"0.weight", "0.bias"}
    epochs = (run / "epochs.csv").read_text().splitlines()
    assert len(epochs) > 10
    assert epochs[-1].count(",") == epochs[0].count(",")
    assert inside("evaluate", run).returncode == 0


# Pipes


@posix
@pytest.mark.parametrize(
    "words",
    [["predict", "--input", "rows.csv", "--run", "runs/config-1"], ["components", "--markdown"]],
    ids=" ".join,
)
def test_a_reader_that_closes_the_pipe_ends_the_command(words: list[str], trained: Trained, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n" + "0.1,0.2\n" * 20_000)
    command = [sys.executable, "-m", "nnfs_cli", *(str(rows) if word == "rows.csv" else word for word in words)]
    process = subprocess.Popen(command, cwd=trained.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    if words[0] == "predict":
        assert process.stdout.readline().startswith(b"prediction,")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=10) == 0
    process.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_a_full_disk_exits_with_4_and_a_message(trained: Trained) -> None:
    command = [sys.executable, "-m", "nnfs_cli", "predict", "--input", "points.csv", "--run", "runs/config-1"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command, cwd=trained.folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 4
    assert one_line(done.stderr) == "error: stdout: No space left on device\n"


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_closed_stream_is_not_an_internal_error(closed: str, points: Path) -> None:
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "nnfs_cli", "train", "config.yaml"]
    done = subprocess.run(command, cwd=points, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 4)
    assert "Traceback" not in done.stderr
    assert (points / "runs" / "config-1" / "metrics.json").is_file()


@pytest.mark.parametrize(
    "words", [["--help"], ["train", "config.yaml"], ["train", "gone.yaml"], ["wibble"], ["components"]], ids=" ".join
)
def test_a_pipe_gets_no_escape_sequences(
    words: list[str], points: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    done = inside(*words)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr


# Terminals


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Run the command on a terminal of 80 columns: the exit code, and everything that it showed there.

    It has a process of its own if it is to be interrupted when it shows a text.
    """
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    opened = []

    def run(*words: object, interrupt_at: str = "", **variables: str) -> tuple[int, str]:
        control, screen = pty.openpty()
        opened.append(control)
        start = functools.partial(interrupted, text=interrupt_at.encode()) if interrupt_at else shown_here
        given = {**environment, "TERM": "xterm-256color", "COLUMNS": "80", **variables}
        code, shown = start([*map(str, words)], tmp_path, given, control, screen)
        return code, shown.decode()

    yield run
    for control in opened:
        os.close(control)


def shown_here(
    words: list[str], folder: Path, environment: dict[str, str], control: int, screen: int
) -> tuple[int, bytes]:
    """Run the command in this process on a terminal: the exit code, and what it showed."""
    with ThreadPoolExecutor(1) as pool:
        shown = pool.submit(b"".join, arriving(control))
        with open(screen, "w", encoding="utf-8") as stream:
            code = run_here(words, folder, environment, stream)
        return code, shown.result()


def interrupted(
    words: list[str], folder: Path, environment: dict[str, str], control: int, screen: int, text: bytes
) -> tuple[int, bytes]:
    """Run the command in a process of its own on a terminal, and interrupt it when it has shown a text."""
    process = subprocess.Popen(
        [*INTERRUPTIBLE, *words], cwd=folder, env=environment, stdin=screen, stdout=screen, stderr=screen
    )
    os.close(screen)
    shown = b""
    try:
        for part in arriving(control):
            if text not in shown and text in shown + part:
                process.send_signal(signal.SIGINT)
            shown += part
        return process.wait(timeout=5), shown
    finally:
        process.kill()
        process.wait()


def arriving(control: int) -> Iterator[bytes]:
    """Yield what is shown on a terminal, until its other end is closed."""
    with contextlib.suppress(OSError):
        while select.select([control], [], [], 30)[0]:
            yield os.read(control, 65_536)


@posix
def test_a_terminal_shows_curves_and_ends_with_the_run_directory(points: Path, terminal: Terminal) -> None:
    code, shown = terminal("train", "config.yaml")
    assert code == 0
    assert re.search("│\x1b.[0-9]+m[\u2801-\u28ff]", shown)
    assert shown.endswith("\r\nruns/config-1\r\n")
    assert "\x1b[?25" not in shown  # the cursor is never hidden, so it need not come back


@posix
def test_no_color_keeps_the_curves_and_removes_the_colours(points: Path, terminal: Terminal) -> None:
    code, shown = terminal("train", "config.yaml", NO_COLOR="1")
    assert code == 0
    assert re.search("│ *[\u2801-\u28ff]", shown)
    assert not COLOUR.search(shown)


@posix
def test_a_dumb_terminal_gets_plain_lines(points: Path, terminal: Terminal) -> None:
    code, shown = terminal("train", "config.yaml", TERM="dumb")
    assert code == 0
    assert "\x1b" not in shown
    assert shown.endswith("\r\nruns/config-1\r\n")


@posix
@pytest.mark.parametrize(
    ("variables", "word"),
    [({}, "\x1b[1;31merror:\x1b[0m"), ({"NO_COLOR": "1"}, "error:"), ({"TERM": "dumb"}, "error:")],
)
def test_an_error_on_a_terminal_is_red_unless_colours_are_off(
    variables: dict[str, str], word: str, terminal: Terminal
) -> None:
    assert terminal("train", "gone.yaml", **variables) == (2, f"gone.yaml: {word} there is no such file\r\n")


@posix
def test_a_quiet_train_draws_nothing_on_a_terminal(points: Path, terminal: Terminal) -> None:
    assert terminal("train", "config.yaml", "--quiet") == (0, "runs/config-1\r\n")


@posix
def test_an_interruption_leaves_the_terminal_as_it_was(points: Path, terminal: Terminal) -> None:
    code, shown = terminal("train", "config.yaml", "--set", "epochs=100000000", interrupt_at="val_accuracy")
    assert code == 130
    *_, last = re.split("(?=interrupted)", shown)
    assert "keeps what was learned so far" in last
    assert re.sub("\x1b.[0-9;]*m", "", last).replace("\r\n", "").isprintable()
    assert "Traceback" not in shown


# Escape sequences and markup in a file are shown, not obeyed


EVIL = "[red]a[/red],b\x1b[31m,group\n" + "".join(f"{i},{i},[bold]x\n{i},{-i},e\x1b[5mvil\n" for i in range(20))


@pytest.fixture
def evil(write: Write) -> Path:
    """A data set with markup and escape sequences in its header and labels."""
    write("points.csv", EVIL)
    return write("config.yaml", CONFIG).parent


def test_labels_are_shown_as_they_are(evil: Path, inside: Nnfs) -> None:
    done = inside("train", "config.yaml")
    assert done.returncode == 0
    assert r"2 classes ('[bold]x' 50 %, 'e\x1b[5mvil' 50 %)" in done.stderr
    assert "\x1b" not in done.stderr


@posix
def test_labels_are_shown_as_they_are_on_a_terminal(evil: Path, terminal: Terminal) -> None:
    code, shown = terminal("train", "config.yaml", NO_COLOR="1")
    assert code == 0
    assert r"'[bold]x' 50 %, 'e\x1b[5mvil' 50" in " ".join(shown.split())
    assert not COLOUR.search(shown)


def test_a_header_and_a_cell_are_shown_as_they_are_in_an_error(evil: Path, inside: Nnfs, write: Write) -> None:
    write("points.csv", EVIL.replace("\n0,", "\n[blink]\x07\x1b]0;title,", 1))
    done = inside("train", "config.yaml", "--quiet")
    assert done.returncode == 2
    assert r"line 2: column '[red]a[/red]' should hold numbers, found '[blink]\x07\x1b]0;title'" in done.stderr
    assert not {"\x1b", "\x07"} & set(done.stderr)


def test_a_missing_column_is_shown_as_it_is(evil: Path, inside: Nnfs, write: Write) -> None:
    run = inside("train", "config.yaml", "--quiet").stdout.strip()
    write("rows.csv", "a,b\n1,2\n")
    message = one_message(inside("predict", "--run", run, "--input", "rows.csv"), 2)
    assert message == "error: rows.csv lacks 2 columns: '[red]a[/red]' and 'b\\x1b[31m'\n"


def test_a_config_is_shown_as_it_is(inside: Nnfs, write: Write) -> None:
    write("config.yaml", CONFIG.replace("binary_cross_entropy", r'"[red]\x1b[31mloss"'))
    done = inside("train", "config.yaml")
    assert done.returncode == 2
    assert r"there is no loss '[red]\x1b[31mloss'" in done.stderr
    assert "\x1b" not in done.stderr
