"""Odd runs that are resumed, verified or evaluated: copies by links, other numbers of epochs, and wrong records."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.lock import Lock
from tests.conftest import Nnfs, one_message, unsealed
from tests.twins import Leaving

Started = Callable[..., Path]
ROWS = 40
CONFIG: dict[str, Any] = {
    "dataset": {"csv": {"path": "t.csv", "target": "y"}},
    "split": {"validation": 0.25},
    "layers": [{"linear": 4}, "tanh", {"linear": 1}],
    "loss": "mse",
    "lr": 0.05,
    "batch_size": 10,  # 30 rows to train: 3 steps an epoch
    "epochs": 6,
}


@pytest.fixture
def started(tmp_path: Path) -> Started:
    def train(until: int | None = None, **settings: Any) -> Path:
        table = "a,b,y\n" + "".join(f"{i},{i * 7 % 11},{i / 3}\n" for i in range(ROWS))
        (tmp_path / "t.csv").write_text(table, encoding="utf-8")
        (tmp_path / "c.yaml").write_text(dump({**CONFIG, **settings}), encoding="utf-8")
        experiment = workflows.prepare(Config.load(tmp_path / "c.yaml"))
        run = workflows.begin(experiment, tmp_path / "runs")
        if until is None:
            workflows.train(experiment, run)
        else:
            with pytest.raises(KeyboardInterrupt):
                workflows.train(experiment, run, [Leaving(until)])
        return run.path

    return train


# Hard links


def test_a_lock_that_is_a_link_to_another_file_does_it_no_harm(started: Started, inside: Nnfs, tmp_path: Path) -> None:
    run = started()
    (tmp_path / "precious").write_text("precious")
    for words in (["evaluate", run], ["resume", run, "--epochs", 7, "-q"]):
        os.link(tmp_path / "precious", run / "lock")
        assert inside(*words).returncode == 0
        assert (tmp_path / "precious").read_text() == "precious"
        assert not (run / "lock").exists()


def test_a_lock_that_is_held_is_held_under_all_its_names(tmp_path: Path) -> None:
    held = Lock(tmp_path / "lock", "here")
    os.link(tmp_path / "lock", tmp_path / "other")
    for path in (tmp_path / "lock", tmp_path / "other"):
        with pytest.raises(BlockingIOError):
            Lock(path, "here")
    held.release()
    Lock(tmp_path / "other", "there").release()


@pytest.mark.parametrize("settings", [{}, {"optimizer": "lbfgs", "lr": None, "batch_size": None}], ids=["sgd", "lbfgs"])
def test_a_copy_made_of_links_stays_what_it_was(settings: dict[str, Any], started: Started, inside: Nnfs) -> None:
    run = started(**settings)
    copy = run.with_name("backup")
    shutil.copytree(run, copy, copy_function=os.link)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert inside("resume", run, "--epochs", 9, "-q").returncode == 0
    assert inside("evaluate", run).returncode == 0
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
    assert inside("verify", copy, "-q").returncode == 0
    assert inside("verify", run, "-q").returncode == 0


# Other plans


@pytest.mark.parametrize("until", [10, 11])  # of 9 steps in three epochs
@pytest.mark.parametrize("log_every", [1, 50])
def test_a_plan_that_ends_where_a_run_is_already_is_refused(
    until: int, log_every: int, started: Started, inside: Nnfs
) -> None:
    run = started(until, log_every=log_every)
    message = one_message(inside("resume", run, "--epochs", 3, "-q"), 2)
    assert "has done 3 epochs; --epochs is a total and must be larger" in message
    assert inside("resume", run, "--epochs", 4, "-q").returncode == 0
    assert [row["epoch"] for row in RunDirectory.open(run).epochs()][-1] == 4
    assert inside("verify", run, "-q").returncode == 0


def test_a_plan_may_end_with_the_epoch_that_was_left(started: Started, inside: Nnfs) -> None:
    run = started(until=9, log_every=50)  # all its steps are made, and it has not been looked at
    assert inside("resume", run, "--epochs", 3, "-q").returncode == 0
    assert [row["epoch"] for row in RunDirectory.open(run).epochs()] == [3]
    assert RunDirectory.open(run).arrays.kept_weights() == ["best", "last"]


def test_weights_of_epochs_that_are_still_to_come_are_gone(started: Started, inside: Nnfs) -> None:
    """As after a kill: the state is older than the weights that were kept of single epochs."""
    run = started(until=7, checkpoint={"every": 1})
    for epoch in (3, 4, 20):
        shutil.copy(run / "weights" / "epoch-1.npz", run / "weights" / f"epoch-{epoch}.npz")
    (run / "weights" / "mine.npz").write_bytes(b"something of the user's")
    unsealed(run)
    assert inside("resume", run, "--epochs", 4, "-q").returncode == 0
    kept = [f"epoch-{n}" for n in range(1, 5)]
    assert RunDirectory.open(run).arrays.kept_weights() == ["best", "last", *kept]
    assert (run / "weights" / "mine.npz").exists()
    assert inside("verify", run, "-q").returncode == 0


def test_a_folder_of_weights_that_is_gone_is_made_again(started: Started, inside: Nnfs) -> None:
    run = unsealed(started())
    shutil.rmtree(run / "weights")
    assert inside("resume", run, "--epochs", 7, "-q").returncode == 0
    assert RunDirectory.open(run).arrays.kept_weights() == ["best", "last"]


# Records that lie


def test_a_log_that_was_changed_is_not_gone_on_with(started: Started, inside: Nnfs) -> None:
    run = started()
    log = (run / "epochs.csv").read_text()
    (run / "epochs.csv").write_text(log.replace("\n2,", "\n9,"))
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    message = one_message(inside("resume", run, "--epochs", 9, "-q"), 2)
    assert "epochs.csv is damaged or was changed: its SHA-256" in message
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "log",
    ["a,b\n1,2\n", "epoch,b\n1,2\n", "epoch,step\nx,y\n", "epoch,step\n1\n", "\n", "epoch,step,seconds\nnan,nan,1\n"],
)
def test_a_log_that_is_none_is_said(log: str, started: Started, inside: Nnfs) -> None:
    run = unsealed(started())
    (run / "epochs.csv").write_text(log)
    message = one_message(inside("verify", run, "-q"), 2)
    assert "is damaged" in message or "was not reproduced" in message


@pytest.mark.parametrize("log", ["", "epoch,step,seconds\nnan,nan,1\n"])
def test_a_log_that_says_not_where_time_ran_out_is_said(log: str, started: Started, inside: Nnfs) -> None:
    run = unsealed(started(max_minutes=1e-9))
    (run / "epochs.csv").write_text(log)
    assert "does not give the last epoch and step" in one_message(inside("verify", run, "-q"), 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"best_epoch": {"a": 1, "b": "x"}},
        {"best_epoch": "x"},
        {"best_epoch": {}},
        {"best_epoch": 1.5},
        {"train": 3},
        {"train": {"loss": {"x": 1}}},
        {"train": {"loss": 10**400}},
        {"train": {"loss": True}},
        {"train": [1]},
        {"stopped": "x" * 3_000_000},
        {"stopped": "a\nb"},
        {"stopped": 3},
        {"x" * 1000: "y"},
    ],
    ids=lambda changes: f"{changes}"[:30],
)
def test_figures_that_are_none_are_said(changes: dict[str, Any], started: Started, inside: Nnfs) -> None:
    run = unsealed(started())
    metrics = json.loads((run / "metrics.json").read_text())
    sys.set_int_max_str_digits(0)
    try:
        (run / "metrics.json").write_text(json.dumps({**metrics, **changes}))
    finally:
        sys.set_int_max_str_digits(4300)
    for words in (["verify", run, "-q"], ["resume", run]):
        message = one_message(inside(*words), 2)
        assert "metrics.json" in message
        assert len(message) < 400


def test_a_lineage_that_cannot_be_followed_is_said_of_the_run(started: Started, inside: Nnfs) -> None:
    run = started()
    assert inside("resume", run, "--epochs", 8, "-q").returncode == 0
    status = json.loads((unsealed(run) / "status.json").read_text())
    status["resumed"][0]["epochs"] = 2
    (run / "status.json").write_text(json.dumps(status))
    message = one_message(inside("verify", run, "-q"), 2)
    assert message.startswith(
        f"error: {run} is damaged: it cannot be trained again from its record; the second run has done 6 epochs"
    )
    assert "/nnfs-" not in message


def test_of_many_weights_that_differ_some_are_named(started: Started, inside: Nnfs) -> None:
    run = unsealed(started(checkpoint={"every": 1}, epochs=9))
    for file in (run / "weights").glob("epoch-*.npz"):
        with np.load(file) as archive:
            np.savez(file, **{name: array + np.float32(1e-3) for name, array in archive.items()})
    message = one_message(inside("verify", run, "-q"), 2)
    assert "the weights 'epoch-4' and 5 more files of weights" in message


def test_a_class_without_end_is_cut(started: Started, tmp_path: Path) -> None:
    run = RunDirectory.open(started())
    run.records.write_decision({"threshold": 0.5, "class": "x" * 100_000, "by": "hand"})
    decision = run.records.decision()
    assert decision is not None
    assert decision["class"] == "x" * 200


# What cannot be written to


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES], ids=errno.errorcode.get)
def test_a_run_that_cannot_be_written_to_is_evaluated(
    number: int, started: Started, inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started()
    expected = inside("evaluate", run).stdout

    def closed(self: RunDirectory) -> None:
        raise OSError(number, os.strerror(number), str(self.path / "lock"))

    monkeypatch.setattr(RunDirectory, "lock", closed)
    done = inside("evaluate", run, "-q")
    assert (done.returncode, done.stdout) == (0, expected)
    assert done.stderr == f"warning: {run} cannot be written to; nothing is saved there\n"
    assert inside("decide", run, "--threshold", "none").returncode in (2, 4)
    assert inside("resume", run, "--epochs", 7).returncode == 4


def test_a_listener_that_leaves_ends_no_training(started: Started, tmp_path: Path) -> None:
    started()
    command = [sys.executable, "-m", "nnfs_cli", "train", "c.yaml", "--set", "epochs=2000", "--runs", "heard"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("data")
        process.stderr.close()
        assert process.stdout is not None
        assert process.stdout.read() == "heard/c-1\n"
        assert process.wait(60) == 0
    assert RunDirectory.open(tmp_path / "heard" / "c-1").status()["state"] == "finished"


def test_an_interruption_while_a_library_is_loaded_is_one(
    started: Started, inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    started()

    def loading(*given: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stop:
            raise ImportError("initialization failed") from stop

    monkeypatch.setattr(workflows, "prepare", loading)
    done = inside("train", "c.yaml")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "interrupted\n"
