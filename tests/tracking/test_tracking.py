"""A run is tracked while it is trained: each epoch once, the run as it would be alone, and no training ever fails."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.errors import NnfsWarning, UserError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.tracking.base import Tracker
from nnfs_cli.tracking.csv import CsvTracker
from nnfs_cli.tracking.tensorboard import TensorBoard
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow
from nnfs_cli.workflows.tracking import follower as module
from nnfs_cli.workflows.tracking import tracking
from nnfs_cli.workflows.tracking.follower import Follower
from tests.conftest import CONFIGS, ROOT, Nnfs
from tests.tracking.faulty import Faulty
from tests.tracking.readers import figures_of, in_csv, in_single_precision, in_tensorboard

CONFIG = """\
name: flowers
dataset: iris
layers: [linear: 8, relu, linear: 3]
loss: cross_entropy
lr: 0.01
epochs: 6
metrics: [accuracy, roc_auc]
"""
WRITTEN = (
    "epochs.csv",
    "weights/best.npz",
    "weights/last.npz",
    "data.json",
    "metrics.json",
    "verdict.json",
    "probes.npz",
)


def trained(folder: Path, *trackers: Tracker, epochs: int = 6, callbacks: tuple[Callback, ...] = ()) -> RunDirectory:
    """A run with trackers."""
    config = workflows.load(CONFIGS / "iris.yaml", [f"epochs={epochs}", "engine=numpy"])
    experiment = workflows.prepare(config)
    run = workflows.begin(experiment, folder)
    workflows.train(replace(experiment, config=config.model_copy(update={"track": trackers})), run, callbacks)
    return run


def without_seconds(run: Path, name: str) -> bytes | list[list[str]]:
    """A file of a run, without what depends on the clock."""
    content = (run / name).read_bytes()
    if name != "epochs.csv":
        return content
    rows = [line.split(",") for line in content.decode().splitlines()]
    at = rows[0].index("seconds")
    return [[*row[:at], *row[at + 1 :]] for row in rows]


def test_every_figure_of_a_run_is_found_and_no_byte_of_it_changes(
    inside: Nnfs, write: Callable, tmp_path: Path
) -> None:
    config = write("config.yaml", CONFIG)
    alone = inside("train", config, "--quiet")
    done = inside("train", config, "--track", "tensorboard", "--track", "csv=all.csv")
    assert done.returncode == 0, done.stderr
    assert "track       tensorboard: runs/flowers-2/tensorboard\ntrack       csv: " in done.stderr
    first, second = tmp_path / "runs" / "flowers-1", tmp_path / "runs" / "flowers-2"
    figures = figures_of(RunDirectory(second).epochs())
    assert len(figures) == 6 * 7
    assert in_tensorboard(second / "tensorboard") == in_single_precision(RunDirectory(second).epochs())
    assert in_csv(tmp_path / "all.csv", "runs/flowers-2") == figures
    for name in WRITTEN:
        assert without_seconds(first, name) == without_seconds(second, name), name
    assert alone.stdout == "runs/flowers-1\n"
    assert done.stdout == "runs/flowers-2\n"
    spec = (second / "spec.yaml").read_text()
    assert "track:\n  tensorboard:\n    folder: null\n  csv:\n    file: ../../all.csv\n" in spec
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", "runs", "all.csv"}


@pytest.mark.slow
def test_a_training_that_verifies_a_run_is_not_tracked(inside: Nnfs, write: Callable, tmp_path: Path) -> None:
    config = write("config.yaml", CONFIG + "track: {csv: all.csv}\n")
    assert inside("train", config, "--quiet").returncode == 0
    before = (tmp_path / "all.csv").read_bytes()
    assert inside("verify", "runs/flowers-1").returncode == 0
    assert (tmp_path / "all.csv").read_bytes() == before


def test_a_resumed_run_is_tracked_on_each_epoch_once(inside: Nnfs, write: Callable, tmp_path: Path) -> None:
    config = write("config.yaml", CONFIG + "track: {csv: runs/all.csv}\n")
    assert inside("train", config, "--quiet").returncode == 0
    run = RunDirectory(tmp_path / "runs" / "flowers-1")
    before = run.spec_file.read_bytes()
    chosen = "--track", "tensorboard", "--track", "csv=runs/all.csv"
    assert inside("resume", run.path, "--epochs", "9", *chosen).returncode == 0
    assert len(run.epochs()) == 9
    assert in_csv(tmp_path / "runs" / "all.csv", "flowers-1") == figures_of(run.epochs())
    assert in_tensorboard(run.path / "tensorboard") == in_single_precision(run.epochs())  # also of the epochs before
    assert run.spec_file.read_bytes() == before


def test_a_place_that_a_run_names_itself_is_not_written_to(inside: Nnfs, write: Callable, tmp_path: Path) -> None:
    config = write("config.yaml", CONFIG + "track: {csv: runs/all.csv, tensorboard: }\n")
    assert inside("train", config, "--quiet").returncode == 0
    run = RunDirectory(tmp_path / "runs" / "flowers-1")
    before = (tmp_path / "runs" / "all.csv").read_bytes()
    result = inside("resume", run.path, "--epochs", "9", "--quiet")
    assert result.returncode == 0
    assert "asks for csv at" in result.stderr
    assert "--track csv=PLACE goes on with it" in result.stderr
    assert (tmp_path / "runs" / "all.csv").read_bytes() == before
    assert in_tensorboard(run.path / "tensorboard") == in_single_precision(run.epochs())


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_run_with_a_link_in_it_is_trained_all_the_same(finished: RunDirectory, tmp_path: Path) -> None:
    run = RunDirectory(shutil.copytree(finished.path, tmp_path / "iris-1"))
    (tmp_path / "elsewhere").mkdir()
    (run.path / "tensorboard").symlink_to(tmp_path / "elsewhere")
    assert TensorBoard().place(run.path).endswith("iris-1/tensorboard")
    follower = Follower(run.path, TensorBoard())
    assert follower(False) == (False, "ValueError: tensorboard is a link")
    assert [*(tmp_path / "elsewhere").iterdir()] == []


class Stop(Callback):
    """A callback that interrupts training at the end of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_log(self, training: Training, row: LogRow) -> None:
        """Interrupt."""
        if row["epoch"] == self.epoch:
            training.interrupt(KeyboardInterrupt())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run that has finished without trackers."""
    with ignored_warnings(NnfsWarning):
        return trained(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize(
    ("way", "problem"),
    [
        ("open", "ValueError: cannot open http://ann:***@host/"),
        ("write", "[Errno 28] No space left on device: 'x'"),
        ("finish", "MemoryError"),
    ],
)
def test_an_error_of_a_tracker_is_a_problem_in_a_line(
    finished: RunDirectory, tmp_path: Path, way: str, problem: str
) -> None:
    follower = Follower(finished.path, Faulty(tmp_path / f"{way}.csv"))
    assert problem in (follower(True).problem, follower(True).problem)


def test_what_a_tracker_has_missed_it_gets_at_the_end(
    finished: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(finished.path, Faulty(tmp_path / "once.csv"))
    assert follower(False) == (False, "[Errno 28] No space left on device: 'x'")
    assert follower(False) == (False, "")  # it is not tried again in every second
    assert in_csv(tmp_path / "once.csv", finished.path.name) == {}
    assert follower(True) == (False, "")  # nor at once, when the training has ended
    monkeypatch.setattr(module, "RETRY_AT_END", 0.0)
    assert [follower(True), follower(True)] == [(True, ""), (False, "")]
    name = Path(os.path.relpath(finished.path, tmp_path)).as_posix()
    assert in_csv(tmp_path / "once.csv", name) == figures_of(finished.epochs())


@pytest.mark.parametrize(
    ("way", "problem"),
    [
        pytest.param("write", r"\[Errno 28\] No space left on device: 'x'", marks=pytest.mark.slow),
        pytest.param("exit", "its process has failed", marks=pytest.mark.slow),
        pytest.param("die", "a worker process ended with exit code 3 before its work was done", marks=pytest.mark.slow),
    ],
)
def test_whatever_a_tracker_does_is_one_warning(tmp_path: Path, way: str, problem: str) -> None:
    with pytest.warns(NnfsWarning) as seen:
        run = trained(tmp_path, Faulty(tmp_path / f"{way}.csv"), CsvTracker())
    about = [str(warning.message) for warning in seen if "csv does not get" in str(warning.message)]
    assert len(about) == 1
    assert re.fullmatch(f"csv does not get everything of {run.path.as_posix()}: {problem}", about[0])
    assert run.status()["state"] == "finished"
    assert in_csv(tmp_path / "tracked.csv", "iris-1") == figures_of(run.epochs())  # the other tracker is not affected


def test_a_tracker_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "PATIENCE", 0.2)
    began = time.monotonic()
    with pytest.warns(NnfsWarning, match=r"iris-1: no answer in 0\.2 seconds"):
        run = trained(tmp_path, Faulty(tmp_path / "hang.csv"))
    assert time.monotonic() - began < 30
    assert run.status()["state"] == "finished"


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_a_tracker_that_takes_nothing_back_gets_only_what_the_run_keeps(tmp_path: Path) -> None:
    class Final(CsvTracker):
        """A tracker that cannot take rows back."""

        withdraws = False

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, callbacks=(Stop(3),))
    run = RunDirectory(tmp_path / "iris-1")
    kept = run.epochs()
    with (run.path / "epochs.csv").open("ab") as file:  # what a run logs after its last state
        file.write((run.path / "epochs.csv").read_bytes().splitlines(keepends=True)[-1].replace(b"3,", b"4,", 1))
    follower = Follower(run.path, Final(tmp_path / "all.csv"))
    assert follower(False) == (True, "")
    assert follower(False) == (False, "")
    assert in_csv(tmp_path / "all.csv", "iris-1") == figures_of(kept)
    assert Follower(run.path, CsvTracker(tmp_path / "more.csv"))(False) == (True, "")
    assert len(in_csv(tmp_path / "more.csv", "iris-1")) == len(figures_of(kept)) * 4 // 3
    os.remove(run.path / "state.npz")
    assert Follower(run.path, Final(tmp_path / "all.csv"))(False) == (False, "")
    assert in_csv(tmp_path / "all.csv", "iris-1") == {}


PAUSE = """\
import time
from nnfs_cli import NamedCallback


class Pause(NamedCallback, name="pause"):
    def on_log(self, training, row):
        time.sleep(0.05)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_run_that_is_killed_and_resumed_is_tracked_once(nnfs: Nnfs, write: Callable, tmp_path: Path) -> None:
    block = "callbacks: [pause]\ntrack: {tensorboard: , csv: all.csv}\n"
    config, code = write("config.yaml", CONFIG.replace("epochs: 6", "epochs: 80") + block), write("pause.py", PAUSE)
    command = [sys.executable, "-m", "nnfs_cli", "train", config, "--quiet", "--no-report", "--code", code]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE)
    table = tmp_path / "all.csv"
    until = time.monotonic() + 60
    while not (table.exists() and table.read_bytes().count(b"\n") > 100) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    run = RunDirectory(tmp_path / "runs" / "flowers-1")
    assert run.status()["state"] == "running"
    assert in_csv(table, "runs/flowers-1")
    done = nnfs("resume", run.path, "--quiet", "--code", code, "--track", "csv=all.csv")
    assert done.returncode == 0, done.stderr
    figures = figures_of(run.epochs())
    assert len(figures) == 80 * 7
    assert in_csv(table, "runs/flowers-1") == figures
    assert in_tensorboard(run.path / "tensorboard") == in_single_precision(run.epochs())


@pytest.mark.slow
def test_the_tracker_of_the_guide_works(nnfs: Nnfs, tmp_path: Path) -> None:
    page = (ROOT / "nnfs_cli" / "guide" / "tracking.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```py\n# lines\.py\n(.*?)```", page, re.DOTALL)
    (tmp_path / "lines.py").write_text(code, encoding="utf-8")
    words = ("--code", "lines.py", "--track", "lines=losses.txt", "--epochs", "2")
    done = nnfs("train", CONFIGS / "iris.yaml", *words)
    assert done.returncode == 0, done.stderr
    losses = [row["train_loss"] for row in RunDirectory(tmp_path / "runs" / "iris-1").epochs()]
    assert (tmp_path / "losses.txt").read_text() == f"1 {losses[0]}\n2 {losses[1]}\nfinished\n"


def test_a_missing_package_is_an_error_before_training(
    inside: Nnfs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TensorBoard, "package", "a_package_that_is_not_there")
    done = inside("train", CONFIGS / "iris.yaml", "--track", "tensorboard", "--quiet")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "error: tracking with tensorboard needs tensorboardX: pip install 'nnfs-cli[tensorboard]'"
    )
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("tensorbord", "--track tensorbord: there is no tracker 'tensorbord'; did you mean 'tensorboard'?"),
        ("wandb=x", "--track wandb=x: there is no tracker 'wandb'; there are csv, mlflow and tensorboard"),
        ("csv=", "--track csv=: there is nothing after the ="),
        ("csv=\0", "cannot be the path of a file: embedded null byte"),
        ("", "--track : there is no tracker ''"),
    ],
)
def test_a_wrong_option_is_an_error(inside: Nnfs, option: str, message: str) -> None:
    done = inside("train", CONFIGS / "iris.yaml", "--track", option)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_tracker_is_named_once(inside: Nnfs) -> None:
    done = inside("train", CONFIGS / "iris.yaml", "--track", "csv=a.csv", "--track", "csv=b.csv")
    assert (done.returncode, done.stderr) == (2, "error: --track csv is given twice; give it once\n")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("[csv]", "8:8: error: expected trackers by name, as in {csv: all.csv}, found"),
        ("{cvs: a}", "8:9: error: there is no tracker 'cvs'; did you mean 'csv'?"),
        ("{csv: {path: a}}", "8:15: error: csv has no setting 'path'"),
        ("{csv: 3, tensorboard: [a]}", "8:14: error: expected a path, found 3"),
        ("{csv: 3, tensorboard: [a]}", "8:30: error: expected a path, found a list"),
    ],
)
def test_a_fault_in_the_block_has_its_place(write: Callable, block: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        Config.load(write("config.yaml", CONFIG + f"track: {block}\n"))
    assert message in str(caught.value)


@pytest.mark.parametrize("block", ["csv", "{csv: }", "{csv: null}", "{csv: {}}", "{csv: {file: null}}"])
def test_a_tracker_is_named_in_several_forms(write: Callable, block: str) -> None:
    assert Config.load(write("config.yaml", CONFIG + f"track: {block}\n")).track == (CsvTracker(),)


def test_a_run_without_trackers_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "Worker", None)
    assert trained(tmp_path).status()["state"] == "finished"
    assert json.loads((tmp_path / "iris-1" / "status.json").read_text())["state"] == "finished"
