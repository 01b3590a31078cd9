"""What is meant by fewer words, or by those of other tools: the newest run, short options, and mixed-up paths."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nnfs_cli import train
from nnfs_cli.cli.completion import complete_run
from nnfs_cli.config.assignments import assignments
from tests.conftest import Nnfs, one_message, unsealed

NET = {"layers": ["linear: 2", "softmax"], "loss": "cross_entropy", "dataset": "iris", "epochs": 1}
TWO_CLASSES = {"layers": ["linear: 1", "sigmoid"], "loss": "binary_cross_entropy", "dataset": "breast_cancer"}
CONFIG = "dataset: iris\nlayers: [{linear: 3}, softmax]\nloss: cross_entropy\nepochs: 3\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs, a table and a config."""
    folder = tmp_path_factory.mktemp("trained")
    for name in ("old", "new"):
        train({**NET, **TWO_CLASSES, "name": name}, folder=folder / "runs", verbose=False)
    (folder / "houses.csv").write_text("size,price\n1,2\n")
    (folder / "iris.yaml").write_text(CONFIG)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """A copy of it in the folder in which commands run."""
    return Path(shutil.copytree(trained, tmp_path, dirs_exist_ok=True))


# The run that is meant


@pytest.mark.parametrize(
    "command",
    ["evaluate", "report", "decide --threshold none", "doctor", "trace --rows 1 --layer layers.0", "summary", "verify"],
)
def test_a_command_takes_the_newest_run_where_none_is_named_and_says_so(
    command: str, folder: Path, inside: Nnfs
) -> None:
    done = inside(*command.split())
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("run         runs/new-1, the newest\n")


def test_no_line_names_the_run_if_it_is_named_or_the_command_is_quiet(folder: Path, inside: Nnfs) -> None:
    assert "the newest" not in inside("summary", "--quiet").stderr
    named = inside("decide", "old-1", "--threshold", "none")
    assert "the newest" not in named.stderr
    assert "new-1" not in named.stdout + named.stderr


def test_a_run_is_shown_compared_used_and_deleted_by_its_name_alone(folder: Path, inside: Nnfs) -> None:
    assert json.loads(inside("runs", "show", "--json").stdout)["run"] == "runs/new-1"
    assert json.loads(inside("runs", "show", "old-1", "--json").stdout)["run"] == "runs/old-1"
    assert json.loads(inside("runs", "compare", "old-1", "new-1", "--json").stdout)["runs"]["old-1"] == "runs/old-1"
    assert "houses.csv lacks 30 columns" in one_message(inside("predict", "--run", "old-1", "--input", "houses.csv"), 2)
    shutil.move(folder / "runs", folder / "others")
    assert inside("runs", "rm", "old-1", "--folder", "others", "--yes").stdout == "others/old-1\n"
    assert not (folder / "others" / "old-1").exists()
    assert "there is no trained run in runs" in one_message(inside("evaluate"), 2)


def test_what_lies_here_is_meant_before_what_lies_in_runs(folder: Path, inside: Nnfs) -> None:
    shutil.copytree(folder / "runs" / "new-1", folder / "old-1")
    assert json.loads(inside("evaluate", "old-1", "--json").stdout)["run"] == "old-1"


def test_resume_takes_the_newest_unfinished_run(folder: Path, inside: Nnfs) -> None:
    assert one_message(inside("resume"), 2) == (
        "error: no run in runs is unfinished; `nnfs resume runs/new-1 --epochs N` trains the newest further\n"
    )
    status = json.loads((folder / "runs" / "old-1" / "status.json").read_text())
    unsealed(folder / "runs" / "old-1")
    (folder / "runs" / "old-1" / "status.json").write_text(
        json.dumps({"state": "interrupted", "begun": status["begun"]})
    )
    done = inside("resume", "--epochs", "2")
    assert done.stderr.startswith("run         runs/old-1, the newest that is unfinished\n")
    assert done.stdout == "runs/old-1\n"


def test_a_shell_completes_the_name_of_a_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert complete_run("ol") == ["old-1"]
    assert complete_run("") == ["runs/new-1", "runs/old-1"]
    assert complete_run("runs/n") == ["runs/new-1"]


# Short options


def test_short_options_are_the_same_as_set(inside: Nnfs, write: object, folder: Path) -> None:
    words = "--epochs", "2", "--lr=0.25", "--batch-size", "16", "--seed", "7"
    settings = ["--set", "epochs=2", "--set", "lr=0.25", "--set", "batch_size=16", "--set", "seed=7"]
    assert inside("train", "iris.yaml", "--quiet", *words).stdout == "runs/iris-1\n"
    assert inside("train", "iris.yaml", "--quiet", *settings).stdout == "runs/iris-2\n"
    for name in ("spec.yaml", "weights/last.npz", "weights/best.npz"):
        assert (folder / "runs/iris-1" / name).read_bytes() == (folder / "runs/iris-2" / name).read_bytes()
    assert json.loads(inside("cv", "iris.yaml", "--json", "--folds", "2", *words).stdout)["folds"] == 2
    wrong = one_message(inside("train", "iris.yaml", "--lr", "fast"), 2)
    assert wrong == "--set lr=fast: error: expected a number, found 'fast'\n"


def test_the_assignments_of_a_command_line_are_found_in_their_order() -> None:
    words = ["train", "a.yaml", "--seed", "3", "--set=a=1", "--quiet", "--set", "b=2=3", "--epochs=4", "--set"]
    assert [*assignments(words)] == ["seed=3", "a=1", "b=2=3", "epochs=4", ""]


def test_metrics_of_several_options_are_all_used(folder: Path, inside: Nnfs) -> None:
    figures = json.loads(inside("evaluate", "--metrics", "f1", "--metrics", "brier", "--json").stdout)["metrics"]
    assert figures["validation"].keys() == {"rows", "loss", "f1_macro", "brier"}


# Mixed-up paths


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train houses.csv", "houses.csv is a table; `nnfs init houses.csv` writes a config for it"),
        ("check houses.csv --target price", "houses.csv is a table; `nnfs init houses.csv` writes a config for it, wh"),
        ("train gone.csv", "there is no such file; a config is a YAML file, and `nnfs init` writes one for a table"),
        ("train runs/old-1", "`nnfs resume runs/old-1` continues it, and runs/old-1/spec.yaml is its config"),
        ("train .", ". is a folder; expected a YAML file, such as iris.yaml"),
        ("train runs", "runs is a folder; expected a YAML file\n"),
        ("train wine", "wine is a built-in data set, which a config names with the line `dataset: wine`"),
        ("train irs.yaml", "there is no such file; did you mean 'iris.yaml'?"),
        ("init iris.yaml", "iris.yaml is a config, not a table; `nnfs train iris.yaml` trains it"),
        ("predict --input iris.yaml", "iris.yaml is a config, not a table; `nnfs train iris.yaml` trains it"),
        ("predict --input runs/new-1", "`nnfs predict --run runs/new-1` predicts with it"),
        ("predict houses.csv", "'houses.csv' is given without its option: use --input houses.csv"),
        ("predict --input houses.csv runs/old-1", "'runs/old-1' is given without its option: use --run runs/old-1"),
        ("evaluate houses.csv", "houses.csv is a table, not a run directory; `nnfs evaluate --input houses.csv` sco"),
        ("evaluate iris.yaml", "iris.yaml is a config, not a run directory; `nnfs train iris.yaml` trains it"),
        ("evaluate nw-1", "there is no run directory nw-1; did you mean 'runs/new-1'?"),
        ("houses.csv", "there is no command 'houses.csv'; `nnfs init houses.csv` writes a config for it"),
        ("iris.yaml", "there is no command 'iris.yaml'; `nnfs train iris.yaml` trains it"),
        ("runs old-1", "there is no command 'old-1'; `nnfs runs show old-1` shows the run"),
    ],
)
def test_a_path_in_the_wrong_place_gets_the_command_that_takes_it(
    words: str, message: str, trained: Path, inside: Nnfs
) -> None:
    done = inside(*words.split(), cwd=trained)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
