"""`nnfs runs` and its commands: what they print, what they ask, and what they leave alone."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from nnfs_cli import train
from nnfs_cli.cli.completion import complete_run_filter
from tests.cli.test_cli import imported
from tests.conftest import Nnfs, one_message, unsealed

NET = {"layers": ["linear: 4", "relu", "linear: 3"], "loss": "cross_entropy", "dataset": "iris", "name": "flowers"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three runs: the second with another learning rate, the third with another seed."""
    folder = tmp_path_factory.mktemp("trained")
    for changes in ({"lr": 0.01}, {"lr": 0.2, "epochs": 9}, {"seed": 5}):
        train({**NET, "epochs": 3, **changes}, folder=folder / "runs", verbose=False)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """A copy of these runs in the folder in which commands run."""
    return Path(shutil.copytree(trained / "runs", tmp_path / "runs"))


def cells(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_runs_are_listed_the_newest_first_with_their_figures(folder: Path, inside: Nnfs) -> None:
    done = inside("runs")
    header, *rows = cells(done.stdout)
    assert header == ["run", "state", "epochs", "val_loss", "time", "started", "data"]
    assert [row[:3] for row in rows] == [
        ["flowers-3", "finished", "3"], ["flowers-2", "finished", "9"], ["flowers-1", "finished", "3"],
    ]  # fmt: skip
    metrics = json.loads((folder / "flowers-2" / "metrics.json").read_text())
    assert rows[1][3] == f"{metrics['validation']['loss']:.4f}"
    assert all(row[-1] == "iris" for row in rows)
    assert done.stderr == "next        nnfs runs show runs/flowers-3\n"


def test_the_list_is_filtered_and_sorted(folder: Path, inside: Nnfs) -> None:
    (_, best, *_) = cells(inside("runs", "--sort", "best", "--quiet").stdout)
    assert best[0] == "flowers-2"
    found = json.loads(inside("runs", "--filter", "name=*-[12]", "--sort", "name", "--by", "accuracy", "--json").stdout)
    assert [run["run"] for run in found["runs"]] == ["runs/flowers-1", "runs/flowers-2"]
    assert {run["figure"] for run in found["runs"]} == {"val_accuracy"}
    assert found["runs"][0]["figures"].keys() == {"train_loss", "train_accuracy", "val_loss", "val_accuracy"}
    done = inside("runs", "--filter", "state=running")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "there is no run that fits in runs\n")
    assert "a filter is KEY=VALUE" in one_message(inside("runs", "--filter", "running"), 2)


def test_the_list_imports_nothing_slow(folder: Path) -> None:
    assert not imported("runs", "--folder", folder) & {"numpy", "scipy", "sklearn", "pyarrow", "rich"}


def test_a_shell_completes_the_keys_of_a_filter_and_the_states() -> None:
    assert complete_run_filter("") == ["state=", "name=", "config=", "data=", "loss="]
    assert complete_run_filter("state=f") == ["state=finished", "state=failed"]


def test_a_folder_without_runs_is_no_error(inside: Nnfs) -> None:
    done = inside("runs")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "there is no run in runs\n")
    assert json.loads(inside("runs", "--folder", "other", "--json").stdout) == {"folder": "other", "runs": []}


def test_a_damaged_run_is_listed_and_shown_with_the_reason(folder: Path, inside: Nnfs) -> None:
    (folder / "flowers-2" / "spec.yaml").write_text("name: \x1b[31mred\n")
    done = inside("runs")
    assert ["flowers-2", "damaged"] in [row[:2] for row in cells(done.stdout)]
    assert "damaged     runs/flowers-2/spec.yaml is damaged or was changed" in done.stderr
    done = inside("runs", "show", "runs/flowers-2")
    assert done.returncode == 0
    assert "state       damaged: runs/flowers-2/spec.yaml is damaged" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_two_runs_are_compared_in_three_ways(folder: Path, inside: Nnfs) -> None:
    words = ("runs", "compare", "runs/flowers-1", "runs/flowers-2", "runs/flowers-3")
    done = inside(*words)
    assert done.returncode == 0, done.stderr
    blocks = [cells(block) for block in done.stdout.split("\n\n")]
    assert blocks[0][0] == ["setting", "flowers-1", "flowers-2", "flowers-3"]
    assert blocks[0][1:] == [["lr", "0.01", "0.2", "0.01"], ["epochs", "3", "9", "3"], ["seed", "0", "0", "5"]]
    (of_second,) = [row for row in blocks[2] if row[0] == "flowers-2"]
    assert blocks[2][0] == ["validation", "rows", "loss", "accuracy"]
    assert of_second[2].endswith("*")
    assert blocks[3][0] == ["flowers-2", "-", "flowers-1,", "on", "the", "same", "30", "rows"]
    assert blocks[3][1][:2] == ["validation", "difference"]
    assert blocks[3][2][-1] == "better"
    assert done.stderr == "not paired  flowers-3: they hold out other rows\n"
    markdown = inside(*words, "--markdown").stdout
    assert "| setting | flowers-1 | flowers-2 | flowers-3 |\n|---|---|---|---|\n| lr | 0.01 | 0.2 | 0.01 |" in markdown
    found = json.loads(inside(*words, "--json").stdout)
    assert found["settings"]["lr"] == {"flowers-1": 0.01, "flowers-2": 0.2, "flowers-3": 0.01}
    assert found["best"]["validation"]["loss"] == ["flowers-2"]
    difference = found["differences"]["flowers-2"]["validation"]["figures"]["log_loss"]
    assert difference["low"] < difference["mean"] < difference["high"] < 0


def test_a_wide_comparison_becomes_a_list(folder: Path, inside: Nnfs) -> None:
    for n in range(4, 12):
        shutil.copytree(folder / f"flowers-{1 + n % 2}", folder / f"flowers-{n}")
    done = inside("runs", "compare", *sorted(f"runs/{path.name}" for path in folder.iterdir()), "--quiet")
    assert max(map(len, done.stdout.splitlines())) < 120
    assert "\nepochs\n  flowers-1   3\n  flowers-10  3\n" in done.stdout


def test_a_comparison_needs_two_different_runs(folder: Path, inside: Nnfs) -> None:
    assert "needs two runs or more" in one_message(inside("runs", "compare", "runs/flowers-1"), 2)
    assert "given twice" in one_message(inside("runs", "compare", "runs/flowers-1", "runs/flowers-1"), 2)
    assert "no run directory" in one_message(inside("runs", "compare", "runs/flowers-1", "runs/x-1"), 2)


def test_a_run_is_shown_on_a_page(folder: Path, inside: Nnfs) -> None:
    done = inside("runs", "show", "runs/flowers-2")
    lines = done.stdout.splitlines()
    labels = [line.split()[0] for line in lines if line[:1].isalpha() and line[:12].endswith(" ")]
    assert labels == ["run", "state", "data", "model", "training", "engine", "best", "validation", "verdict", "files"]
    text = " ".join(done.stdout.split())  # lines are folded
    assert "state finished less than a minute ago (20" in text
    assert "; 9 epochs in " in text
    assert "4 -> linear 4 -> relu -> linear 3, 35 parameters" in text
    assert sum("│" in line for line in lines) == 8
    assert sum("●" in line for line in lines) == 1
    assert next(line for line in lines if line.endswith(" 9")).split()[:2] == ["1", "epoch"]
    assert done.stderr.startswith("next        nnfs evaluate runs/flowers-2")
    found = json.loads(inside("runs", "show", "runs/flowers-2", "--json").stdout)
    assert found["files"]["spec.yaml"] == (folder / "flowers-2" / "spec.yaml").stat().st_size
    assert found["metrics"]["best_epoch"] == found["best_epoch"]
    assert found["verdict"]


def test_an_interrupted_run_is_shown_with_what_continues_it(folder: Path, inside: Nnfs) -> None:
    status = unsealed(folder / "flowers-2") / "status.json"
    status.write_text(json.dumps({**json.loads(status.read_text()), "state": "interrupted"}))
    done = inside("runs", "show", "runs/flowers-2")
    assert "state       interrupted" in done.stdout
    assert done.stderr == "next        nnfs resume runs/flowers-2\n"


def test_named_runs_are_deleted_only_if_all_of_them_can_be(folder: Path, inside: Nnfs) -> None:
    (folder / "flowers-2" / "notes.txt").write_text("mine")
    words = ("runs", "rm", "runs/flowers-1", "runs/flowers-2", "--yes")
    assert "holds 'notes.txt', which nnfs did not write" in one_message(inside(*words), 2)
    assert len([*folder.iterdir()]) == 3
    done = inside("runs", "rm", "runs/flowers-1", "runs/flowers-2/../flowers-1", "--yes", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "runs/flowers-1\n", "")
    assert not (folder / "flowers-1").exists()


def test_without_a_terminal_nothing_is_deleted_unless_yes_is_given(folder: Path, inside: Nnfs) -> None:
    done = inside("runs", "rm", "--keep-best", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "runs/flowers-1  finished" in done.stderr
    assert "give --yes" in done.stderr
    assert len([*folder.iterdir()]) == 3
    assert inside("runs", "rm", "--keep-best", "1", "--yes").stdout == "runs/flowers-3\nruns/flowers-1\n"
    assert [path.name for path in folder.iterdir()] == ["flowers-2"]


@pytest.mark.parametrize(("answer", "left"), [("y\n", 1), ("Yes\n", 1), ("n\n", 3), ("\n", 3), ("", 3), ("yeah\n", 3)])
def test_on_a_terminal_only_a_yes_deletes(
    answer: str, left: int, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nnfs_cli.cli.runs.rm import rm

    stdin = io.StringIO(answer)
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    rm([folder / "flowers-1", folder / "flowers-2"])
    assert len([*folder.iterdir()]) == left
    assert "delete 2 runs (" in capsys.readouterr().err


def test_damaged_runs_and_others_in_the_way_are_kept_and_named(folder: Path, inside: Nnfs) -> None:
    (folder / "flowers-1" / "metrics.json").write_text("{")
    (folder / "flowers-3" / "notes.txt").write_text("mine")
    done = inside("runs", "rm", "--keep-best", "1", "--yes")
    assert (done.returncode, done.stdout) == (0, "")
    assert "kept        runs/flowers-3 holds 'notes.txt'" in done.stderr
    assert done.stderr.endswith("there is nothing to delete\n")
    assert inside("runs", "rm", "runs/flowers-1", "--yes").stdout == "runs/flowers-1\n"  # by name it is deleted


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "name the runs to delete, or choose them"),
        ("runs/flowers-1 --older-than 1d", "but not both"),
        ("--older-than 1", "such as 12h, 30d or 2w"),
        ("--older-than 1d --by loss", "--by says which runs --keep-best keeps"),
        ("--keep-best 1 --by charm", "not known whether less or more val_charm is better"),
    ],
)
def test_contradictions_are_errors(words: str, message: str, folder: Path, inside: Nnfs) -> None:
    assert message in one_message(inside("runs", "rm", *words.split(), "--yes"), 2)
    assert len([*folder.iterdir()]) == 3


def test_old_runs_are_deleted_by_the_time_of_their_last_training(folder: Path, inside: Nnfs) -> None:
    status = unsealed(folder / "flowers-2") / "status.json"
    status.write_text(json.dumps({**json.loads(status.read_text()), "since": "2020-01-01T00:00:00+00:00"}))
    assert inside("runs", "rm", "--older-than", "30d", "--keep-best", "1", "--yes").stdout == ""  # it is the best
    assert inside("runs", "rm", "--older-than", "30d", "--yes").stdout == "runs/flowers-2\n"
