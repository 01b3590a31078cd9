"""Training that is killed, interrupted, started twice or resumed later loses nothing, and ends with the same bytes."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.errors import RunError
from nnfs_cli.experiment import read_data
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.status_file import StatusFile
from nnfs_cli.training.callbacks import Training
from nnfs_cli.training.callbacks.limits import TimeLimit
from nnfs_cli.training.callbacks.probes import spread
from tests.conftest import Nnfs, one_message, unsealed
from tests.twins import Leaving, record

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals are those of Unix"),
    pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning"),
]

WAIT = 120  # seconds for what should take one or two, on a machine that may be busy
IN_TIME = 5  # seconds from a signal to the end
CAUGHT = [signal.SIGINT, signal.SIGTERM]
# The command, which hears Ctrl-C even where the tests cannot, keeps its state at every turn, takes its time over the
# final figures, and finds a table of a few rows too large for a memory limit.
COMMAND = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import sys
import time
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.experiment import read_data
from nnfs_cli import workflows
from nnfs_cli.__main__ import main
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training import shared_loop
training = sys.modules["nnfs_cli.workflows.fit"]
shared_loop.LONG = shared_loop.SAMPLE = shared_loop.SHORT = -1.0
shared_loop.CHUNK, shared_loop.allowed_threads = 0.01, lambda: 2

def score(*given, score=training.score):
    time.sleep(0.05)
    return score(*given)

Checkpoint.seconds_between_writes, Checkpoint.share, training.score = 0.02, 1.0, score
read_data.MACHINERY, Csv.table_size = 0, lambda source: 10**9
print("listening", flush=True)
"""
ROWS = 120
BASE: dict[str, Any] = {
    "dataset": {"csv": {"path": "table.csv", "target": "y", "drop": "group"}},
    "split": {"validation": 0.25},
    "preprocessing": {"categories": "one_hot"},
    "layers": [{"linear": 6}, "tanh", {"linear": 1}],
    "loss": "mse",
    "lr": 0.01,
    "batch_size": 24,  # 90 rows to train: 4 steps an epoch, the last of 18 rows
    "epochs": 800,
}
KINDS: dict[str, dict[str, Any]] = {
    "adam": {"layers": [{"linear": 6}, "batch_norm", "relu", {"dropout": 0.3}, {"linear": 1}], "optimizer": "adam"},
    "momentum": {
        "dataset": {"csv": {"path": "table.csv", "target": "group", "drop": "y"}},
        "layers": [{"linear": 6}, "tanh", {"linear": 2}, "softmax"],
        "loss": "cross_entropy",
        "optimizer": {"sgd": {"momentum": 0.9}},
        "schedule": "cosine",
    },
    "ema": {"averaging": {"ema": 0.99}, "checkpoint": {"every": 300}},
    "swa": {
        "averaging": {"swa": 0.5},
        "epochs": 1200,
        "early_stopping": {"patience": 250, "min_delta": 10},
    },
    "accumulate": {
        "accumulate": 2,
        "batch_size": 12,
        "replacement": True,
        "layers": [{"linear": 6}, "relu", {"dropout": 0.2}, {"linear": 1}],
    },
    "words": {
        "preprocessing": {"numbers": "standardize", "categories": "target_mean"},
        "schedule": {"reduce_on_plateau": {"patience": 5, "min_delta": 0.01}},
        "optimizer": "nadam",
    },
    "streamed": {"memory_limit": "1 MB", "optimizer": "adam", "epochs": 600},
    "members": {  # in two processes
        "members": 3,
        "engine": "numpy",
        "layers": [{"linear": 6}, "batch_norm", "relu", {"dropout": 0.3}, {"linear": 1}],
        "optimizer": "adam",
        "averaging": {"ema": 0.99},
        "epochs": 400,
    },
    "lbfgs": {"optimizer": "lbfgs", "epochs": 400},  # has no state to continue from and starts again
}


class Twin(NamedTuple):
    """A training that nothing happened to."""

    record: dict[str, Any]
    seconds: float  # of the whole process
    heard: float  # of which it was listening to signals

    def left(self, run: Path | None) -> float:
        """About which share of the time it takes to end a run that was left."""
        if run is None or not RunDirectory.open(run).arrays.has_state():
            return 1.0
        *_, last = self.record["epochs.csv"]
        with np.load(run / "state.npz") as state:
            return 1.0 - 0.6 * int(state["step"]) / int(last[1])


class Place:
    """A folder with a table and a config of each kind."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs = folder, folder / "runs"
        self.runs.mkdir()
        self.twins: dict[str, Twin] = {}
        write_table(folder)
        for kind, settings in KINDS.items():
            merged = {"name": kind, **BASE, **settings}
            if kind == "lbfgs":
                del merged["lr"], merged["batch_size"]
            (folder / f"{kind}.yaml").write_text(dump(merged))

    def start(self, *words: object, before: str = "") -> subprocess.Popen[str]:
        """The command, after some more lines of Python."""
        command = [sys.executable, "-c", f"{COMMAND}{before}\nmain()", *map(str, words), "-q"]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def twin(self, kind: str) -> Twin:
        if kind not in self.twins:
            begun = time.monotonic()
            process = self.start("train", f"{kind}.yaml", "--runs", "twins")
            listening = heard(process)
            _, stderr = process.communicate(timeout=WAIT)
            ended = time.monotonic()
            assert process.returncode == 0, stderr
            self.twins[kind] = Twin(record(self.folder / "twins" / f"{kind}-1"), ended - begun, ended - listening)
        return self.twins[kind]

    def directories(self, kind: str) -> set[Path]:
        return set(self.runs.glob(f"{kind}-*"))


def write_table(folder: Path) -> Path:
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal(ROWS), rng.integers(1, 4, ROWS)
    words = [["red", "green", "blue"][i % 3] for i in range(ROWS)]
    y = a * b + [len(word) for word in words] + 0.1 * rng.standard_normal(ROWS)
    cells = zip(a, b, words, y, strict=True)
    rows = [f"{a:.4f},{b},{word},{y:.4f},{'high' if a * b > 0 else 'low'}\n" for a, b, word, y in cells]
    path = folder / "table.csv"
    path.write_text("a,b,word,y,group\n" + "".join(rows))
    return path


def heard(process: subprocess.Popen[str]) -> float:
    """Wait until a process listens to signals; since when it does."""
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    return time.monotonic()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("survival"))


@pytest.fixture(autouse=True)
def streaming(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of a few rows is too large for a memory limit, here as in what is started."""
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr("nnfs_cli.data.csv.source.Csv.table_size", lambda source: 10**9)


def leftovers(run: Path) -> list[str]:
    """The files that were being written when their writer was killed."""
    return [path.name for path in run.rglob(".*.tmp")]


def differences(run: Path, twin: dict[str, Any], struck: bool = False, without_lock: bool = False) -> list[str]:
    """What is not as in the twin; a blow at the very end may leave no report, and a killed one the file of its lock."""
    kept = record(run)
    if without_lock:
        kept.pop("lock", None)
    if struck and "report.html" not in kept:
        twin = {name: content for name, content in twin.items() if name != "report.html"}
    return sorted(name for name in kept.keys() | twin.keys() if kept.get(name) != twin.get(name))


def is_run(path: Path) -> bool:
    """Whether a directory is a run yet; what there is of it can be read, whole."""
    try:
        run = RunDirectory.open(path)
    except RunError:
        assert not (path / "spec.yaml").exists()
        return False
    state = run.status().get("state", "running")
    assert state in ("running", "interrupted", "finished")
    epochs = [row["epoch"] for row in run.epochs()]
    assert epochs == sorted(set(epochs))
    run.status_file.lineage()
    run.records.decision()
    if state == "finished":
        run.metrics()
    for file in [*path.glob("weights/*.npz"), *path.glob("state.npz")]:
        with np.load(file, allow_pickle=False) as archive:
            for name in archive.files:
                assert file.stem == "state" or np.isfinite(archive[name]).all()
    return True


def is_evaluated_or_refused(done: subprocess.CompletedProcess[str]) -> None:
    """What a reader of an unfinished run gets: figures, or one sentence why not."""
    assert done.returncode in (0, 2), done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1


# Blows


class Blow(NamedTuple):
    """What ends a process: one signal, or two, the second one some seconds after the first."""

    first: signal.Signals
    second: signal.Signals | None = None
    after: float = 0.0

    def strike(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(self.first)
        if self.second is not None:
            time.sleep(self.after)
            process.send_signal(self.second)

    @property
    def codes(self) -> set[int]:
        return {128 + number for number in (self.first, self.second) if number is not None}


Draw = Callable[[random.Random], Blow]


def kill(chance: random.Random) -> Blow:
    return Blow(signal.SIGKILL)


def signalled(chance: random.Random) -> Blow:
    return Blow(chance.choice(CAUGHT))


def signalled_twice(chance: random.Random) -> Blow:
    return Blow(chance.choice(CAUGHT), chance.choice(CAUGHT), chance.uniform(0, 0.03))


class PredictedRows(NamedTuple):
    """What came of a series of blows."""

    runs: int  # that came to their end
    unbegun: int  # blows that left no directory
    incomplete: int  # directories that were no run yet
    leftovers: int  # files that were being written, and were there when others went on
    slowest: float  # seconds from a signal to the end


def survives(kind: str, blows: Sequence[Draw], place: Place, command: Nnfs, evaluated: float = 1.0) -> PredictedRows:
    """Train and go on after each blow, from the beginning where a training has come to its end, until all have fallen.

    Each falls at random, and each training has to end as its twin. After this share of them the run is evaluated.
    """
    twin, chance = place.twin(kind), random.Random(f"{kind} {len(blows)}")  # noqa: S311 - nothing to be kept secret
    coming = [draw(chance) for draw in blows]
    ended = unbegun = incomplete = left = 0
    slowest, reach = 0.0, 1.0  # how late blows fall, by how busy the machine is
    run: Path | None = None
    while coming or run or not ended:
        there, before = place.directories(kind), begun(run)
        process = place.start("resume", f"runs/{run.name}") if run else place.start("train", f"{kind}.yaml")
        blow = fallen = None
        if coming:
            blow = coming[0]
            moment = chance.random() * twin.left(run) * reach
            if blow.first == signal.SIGKILL and chance.random() < 0.3:  # also while it starts
                moment *= twin.seconds
            else:
                heard(process)
                moment *= twin.heard
            try:
                process.wait(moment)
                reach = max(0.2, 0.8 * reach)
            except subprocess.TimeoutExpired:
                reach *= 1.05
                fallen = time.monotonic()
                blow.strike(process)
                coming.pop(0)
        stdout, stderr = process.communicate(timeout=WAIT)
        assert "Traceback" not in stderr
        if blow and fallen:
            slowest = max(slowest, time.monotonic() - fallen)
            assert slowest < IN_TIME
            assert shell(process.returncode) in {0} | blow.codes, stderr
        else:
            assert process.returncode == 0, stderr
        if made := place.directories(kind) - there:
            (run,) = made
        if run is None:
            unbegun += 1
            continue
        killed = fallen is not None and blow is not None and blow.first == signal.SIGKILL
        at_once = fallen is not None and blow is not None and (killed or blow.second is not None)
        if not is_run(run):
            assert at_once  # else nothing is left where it was too early
            refused = one_message(command("resume", run, cwd=place.folder), 2)
            assert refused == f"error: {run} is not a run directory: it has no spec.yaml\n"
            incomplete += 1
            run = None
            continue
        state = RunDirectory.open(run).status().get("state")
        if state == "finished":
            assert differences(run, twin.record, struck=fallen is not None, without_lock=at_once) == []
            ended += 1
            run = None
            continue
        left += len(leftovers(run))
        assert process.returncode != 0
        assert stdout in ("", "listening\n")
        if killed:
            assert stderr == ""
            assert state in (None, "running", "interrupted")
        elif blow and not blow.second and begun(run) == before:  # it fell before the run was resumed
            assert state in ("running", "interrupted")
            assert stderr in ("", "interrupted\n", to_go_on(run))
        elif blow and not blow.second:
            assert state == "interrupted"
            assert not (run / "lock").exists()
            assert stderr == to_go_on(run)
        if chance.random() < evaluated:
            is_evaluated_or_refused(command("evaluate", run, cwd=place.folder))
    return PredictedRows(ended, unbegun, incomplete, left, slowest)


def to_go_on(run: Path) -> str:
    """What is said of a run that was interrupted."""
    return f"interrupted: runs/{run.name} keeps what was learned so far; to continue:\n  nnfs resume runs/{run.name}\n"


def shell(code: int) -> int:
    """The exit code as a shell gives it of a process that a signal has ended."""
    return 128 - code if code < 0 else code


def begun(run: Path | None) -> str:
    """When a run was trained last; empty when it never was."""
    if run is None or not (run / "status.json").exists():
        return ""
    sittings = RunDirectory.open(run).status_file.lineage()
    return str(sittings[-1]["since"] if sittings else RunDirectory.open(run).status()["begun"])


BRIEFLY = {
    "adam": [kill, signalled],
    "momentum": [kill, signalled_twice],
    "ema": [signalled, kill],
    "swa": [kill, signalled_twice, kill],
    "accumulate": [kill, signalled],
    "words": [signalled_twice, kill, kill],
    "streamed": [kill, signalled, kill],
    "members": [signalled, kill, signalled_twice, kill],
}


# The interruptions of every kind are also tested in one process (test_resume.py); these are real ones.
THOROUGH = [pytest.param(kind, marks=pytest.mark.slow) for kind in BRIEFLY if kind != "adam"]


@pytest.mark.parametrize("kind", ["adam", *THOROUGH])
def test_a_run_that_is_broken_off_at_any_moment_ends_as_its_twin(kind: str, place: Place, inside: Nnfs) -> None:
    survives(kind, BRIEFLY[kind], place, inside)


def test_a_second_signal_while_the_first_is_answered_does_not_change_the_exit_code(place: Place) -> None:
    """SIGTERM after training, and again when there is nothing left but to say so."""
    before = """
import os, sys
def terminated(*given):
    os.kill(os.getpid(), signal.SIGTERM)
training.score = terminated
import nnfs_cli.cli
sys.modules["nnfs_cli.cli.error_handling"].complain = terminated
"""
    process = place.start("train", "lbfgs.yaml", "--set", "epochs=2", "--runs", "twice", before=before)
    _, stderr = process.communicate(timeout=WAIT)
    assert (process.returncode, stderr) == (143, "")
    assert RunDirectory.open(place.folder / "twice" / "lbfgs-1").status()["state"] == "interrupted"


SERIES = {"kills": ([kill], 200), "signals": ([signalled], 104), "two-signals": ([signalled_twice], 56)}


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("series", list(SERIES))
def test_each_of_hundreds_of_blows_is_survived(series: str, kind: str, place: Place, inside: Nnfs, nnfs: Nnfs) -> None:
    (draw,), number = SERIES[series]
    command = inside if kind == "streamed" else nnfs  # elsewhere its memory limit is taken at its word
    print(series, kind, survives(kind, [draw] * (number // len(KINDS)), place, command, evaluated=0.2))


# Two at once


@pytest.fixture(scope="module")
def long(place: Place) -> Path:
    """A run that was interrupted long before its end, with weights, to be left as it is found: unfinished."""
    path = place.folder / "long.yaml"
    path.write_text(dump({"name": "long", **BASE, "epochs": 100_000_000}))
    process = place.start("train", path.name)
    try:
        run = place.runs / "long-1"
        wait_until(lambda: (run / "weights" / "best.npz").exists())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WAIT)
    finally:
        process.kill()
    assert process.returncode == 143
    return run


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def resumed_at(run: Path) -> Callable[[], bool]:
    """Whether somebody has begun to train the run since."""
    before = begun(run)
    return lambda: begun(run) != before


def one_of_two_wins(run: Path, place: Place, number: signal.Signals) -> float:
    """Start two at once, and end the one that trains with this signal; the seconds that the other one took."""
    trains = resumed_at(run)
    started = time.monotonic()
    pair = [place.start("resume", run) for _ in range(2)]
    try:
        wait_until(lambda: any(process.poll() is not None for process in pair))
        took = time.monotonic() - started
        (loser,) = (process for process in pair if process.poll() is not None)
        (winner,) = (process for process in pair if process is not loser)
        stdout, stderr = loser.communicate(timeout=WAIT)
        assert loser.returncode == 4, stderr
        assert stdout == "listening\n"
        assert stderr.startswith(f"error: {run} is being written by process {winner.pid} on "), (stderr, winner.pid)
        assert len(stderr.splitlines()) == 1
        wait_until(trains)
        assert winner.poll() is None
        winner.send_signal(number)
        winner.communicate(timeout=WAIT)
        assert shell(winner.returncode) == 128 + number
        assert is_run(run)
    finally:
        for process in pair:
            process.kill()
            process.communicate(timeout=WAIT)
    return took


def test_of_two_that_train_one_run_exactly_one_wins(long: Path, place: Place) -> None:
    for number in (signal.SIGKILL, signal.SIGTERM):  # the kernel gives back what one who was killed has held
        one_of_two_wins(long, place, number)


@pytest.mark.slow
def test_of_each_of_50_pairs_exactly_one_wins(long: Path, place: Place) -> None:
    signals = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
    seconds = [one_of_two_wins(long, place, signals[i % len(signals)]) for i in range(50)]
    print("50 pairs; the one who lost took", min(seconds), "to", max(seconds), "seconds, start-up included")


def test_who_reads_while_another_trains_neither_waits_nor_writes(long: Path, place: Place, inside: Nnfs) -> None:
    trains = resumed_at(long)
    process = place.start("resume", long)
    try:
        wait_until(trains)
        unfinished = f"warning: the training of {long} has not finished; its state is 'running'"
        evaluated = inside("evaluate", long, "-q", cwd=place.folder)
        assert evaluated.returncode == 0
        locked, state = evaluated.stderr.splitlines()
        assert locked.startswith(f"warning: {long} is being written by process {process.pid} on ")
        assert locked.endswith("; nothing is saved there")
        assert state == unfinished
        predicted = inside("predict", "--run", long, "--input", "table.csv", "-q", cwd=place.folder)
        assert predicted.returncode == 0
        assert predicted.stderr.splitlines() == [unfinished]
        assert predicted.stdout.count("\n") == ROWS + 1
        refused = one_message(inside("decide", long, "--threshold", "0.5", cwd=place.folder), 4)
        assert refused.startswith(f"error: {long} is being written by process {process.pid} on ")
        assert not (long / "evaluation").exists()
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate(timeout=WAIT)
    assert process.returncode == 143
    assert not (long / "lock").exists()


def test_two_trainings_of_one_config_have_a_directory_each(place: Place) -> None:
    path = place.folder / "brief.yaml"
    path.write_text(dump({"name": "brief", **BASE, "epochs": 5}))
    pair = [place.start("train", path.name) for _ in range(2)]
    printed = [process.communicate(timeout=WAIT)[0].splitlines()[-1] for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert sorted(printed) == ["runs/brief-1", "runs/brief-2"]
    assert differences(place.runs / "brief-1", record(place.runs / "brief-2")) == []
    assert not [*place.runs.glob("brief-*/lock")]


# The commands


@pytest.fixture
def started(tmp_path: Path, inside: Nnfs) -> Callable[..., Path]:
    """Train a small net with some settings changed, up to this step if one is given."""

    def train(until: int | None = None, **settings: Any) -> Path:
        write_table(tmp_path)
        (tmp_path / "config.yaml").write_text(dump({**BASE, "epochs": 6, **settings}))
        if until is None:
            done = inside("train", "config.yaml", "-q")
            assert done.returncode == 0, done.stderr
            return tmp_path / done.stdout.strip()
        experiment = workflows.prepare(Config.load(tmp_path / "config.yaml"))
        run = workflows.begin(experiment, tmp_path / "runs")
        with pytest.raises(KeyboardInterrupt):
            workflows.train(experiment, run, [Leaving(until)])
        return run.path

    return train


def left(path: Path, step: int, epochs: int | None = None) -> Path:
    """Train a run on, up to this step."""
    run = RunDirectory.open(path)
    experiment = workflows.reopen(run, epochs)
    with pytest.raises(KeyboardInterrupt):
        workflows.resume(experiment, run, [Leaving(step)])
    return path


def altered(file: Path, *path: Any, value: Any) -> None:
    """Change an entry of a JSON file."""
    content = json.loads(file.read_text())
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    file.write_text(json.dumps(content))


def test_resume_goes_on_and_prints_the_run_directory(started: Callable[..., Path], inside: Nnfs) -> None:
    run = started(until=10)
    done = inside("resume", run)
    assert done.returncode == 0
    assert done.stdout == f"{run}\n"
    facts = [line for line in done.stderr.splitlines() if line.startswith("resumed")]
    assert facts == ["resumed     after 2 epochs and 10 steps, to epoch 6"]
    again = inside("resume", run, "--epochs", 7, "--json", "-q")
    assert again.returncode == 0
    written = RunDirectory.open(run)
    verdict = written.records.verdict()
    assert json.loads(again.stdout) == {"run": run.as_posix(), "metrics": written.metrics(), "verdict": verdict}
    assert again.stderr == ""
    assert len(RunDirectory.open(run).epochs()) == 7


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "has finished its 6 epochs; --epochs N continues to N epochs in total"),
        (["--epochs", "5"], "has finished its 6 epochs; --epochs is a total and must be larger"),
        (["--epochs", "6"], "has finished its 6 epochs; --epochs is a total and must be larger"),
    ],
)
def test_resume_of_what_has_finished_is_refused(
    words: list[str], reason: str, started: Callable[..., Path], inside: Nnfs
) -> None:
    run = started()
    before = record(run)
    assert one_message(inside("resume", run, *words), 2) == f"error: {run} {reason}\n"
    assert record(run) == before


def test_resume_of_what_has_diverged_or_is_no_run_is_refused(started: Callable[..., Path], inside: Nnfs) -> None:
    run = started(until=10)
    altered(unsealed(run) / "status.json", "state", value="diverged")
    reason = "has diverged and would diverge again; train a new run, for example with a smaller lr"
    assert one_message(inside("resume", run, "--epochs", 9), 2) == f"error: {run} {reason}\n"
    assert one_message(inside("resume", run.parent), 2).endswith(f"is a folder of runs; name one of them: {run}\n")
    assert one_message(inside("resume", run.parent.parent), 2).endswith("is not a run directory: it has no spec.yaml\n")
    assert one_message(inside("resume", run / "none"), 2) == f"error: there is no run directory {run / 'none'}\n"


def test_resume_after_early_stopping_takes_epochs(started: Callable[..., Path], inside: Nnfs) -> None:
    run = started(early_stopping={"patience": 2, "min_delta": 10}, epochs=20)
    assert len(RunDirectory.open(run).epochs()) == 3
    ended = "has ended: val_loss was no better in 2 logged epochs; --epochs N continues to N epochs"
    assert one_message(inside("resume", run), 2) == f"error: {run} {ended} in total\n"
    assert inside("resume", run, "--epochs", 20, "-q").returncode == 0
    assert len(RunDirectory.open(run).epochs()) == 5  # another patience
    assert inside("resume", run, "--epochs", 6, "-q").returncode == 0
    assert len(RunDirectory.open(run).epochs()) == 6
    assert "stopped" not in RunDirectory.open(run).metrics()
    assert inside("verify", run, "-q").returncode == 0


def test_resume_after_a_time_limit_takes_another_one(started: Callable[..., Path], inside: Nnfs) -> None:
    run = started(max_minutes=0.001, epochs=1_000_000)
    lengths = [len(RunDirectory.open(run).epochs())]
    for words in ([], ["--epochs", "2000000"]):
        assert inside("resume", run, *words, "-q").returncode == 0
        assert RunDirectory.open(run).metrics()["stopped"] == "the time limit of 0.001 min is over"
        lengths.append(len(RunDirectory.open(run).epochs()))
    assert lengths == sorted(set(lengths))
    assert inside("verify", run, "-q").returncode == 0


def test_verify_repeats_a_time_limit_that_falls_on_the_end_of_an_epoch(
    started: Callable[..., Path], inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(limit: TimeLimit, training: Training) -> None:
        if training.progress.step in (52, 65):
            training.stop(limit.reason)

    monkeypatch.setattr(TimeLimit, "on_step", stop)
    run = started(max_minutes=1, epochs=1_000)
    assert len(RunDirectory.open(run).epochs()) == 13
    assert 13 not in spread(1_000)  # so it is probed only because training stops there
    assert inside("resume", run, "-q").returncode == 0
    assert inside("verify", run, "-q").returncode == 0


def test_changed_data_is_refused_unless_that_is_said(started: Callable[..., Path], inside: Nnfs) -> None:
    run = started(until=10)
    table = run.parent.parent / "table.csv"
    table.write_text(table.read_text() + "0.5,2,red,4.0,high\n")
    refused = one_message(inside("resume", run), 2)
    assert refused.startswith(f"error: table.csv has changed since {run} was trained")
    assert refused.endswith("; --changed-data continues with the new data\n")
    done = inside("resume", run, "--changed-data", "-q")
    assert done.returncode == 0
    assert done.stderr.startswith(f"warning: table.csv has changed since {run} was trained")
    assert "changed between its sessions" in one_message(inside("verify", run, "-q"), 2)
    table.unlink()
    gone = one_message(inside("resume", run, "--epochs", 9), 2)
    assert gone.startswith(f"error: the data of {run} is no longer at {table}; put it back")


def test_what_is_not_as_it_was_is_said(started: Callable[..., Path], inside: Nnfs) -> None:
    run = unsealed(started(until=10))
    altered(run / "environment.json", "packages", "numpy", value="1.26.0")
    altered(run / "environment.json", "processor", value="abacus")
    done = inside("resume", run, "-q")
    assert done.returncode == 0
    (warning,) = done.stderr.splitlines()
    told = rf"warning: {run} was trained in another environment, so bytes may differ: "
    assert re.match(told + r"numpy \S+ \(was 1\.26\.0\) and processor .*\(was abacus\)$", warning)


# Verification

VERIFIED: dict[str, dict[str, Any]] = {
    "plain": {},
    "adam": {"optimizer": "adam", "schedule": "cosine", "layers": KINDS["adam"]["layers"]},
    "swa": {"averaging": {"swa": 0.5}, "log_every": 2},
    "words": KINDS["words"],
    "classes": KINDS["momentum"],
    "lbfgs": {"optimizer": "lbfgs", "lr": None, "batch_size": None},
}


@pytest.mark.parametrize("name", list(VERIFIED))
def test_verify_agrees_with_whatever_has_become_of_a_run(name: str, started: Callable[..., Path], inside: Nnfs) -> None:
    settings = {**VERIFIED[name], "epochs": 6}
    run = started(**settings)
    exact = "is reproduced byte for byte: weights, log and figures"
    done = inside("verify", run)
    assert (done.returncode, done.stdout) == (0, f"{run} {exact}\n"), done.stderr
    if name != "lbfgs":
        left(left(run, 30, epochs=9), 41, epochs=12)  # in the middle of an epoch; under another plan each
    assert inside("resume", run, "--epochs", 11, "-q").returncode == 0
    done = inside("verify", run, "--json", "-q")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"run": run.as_posix(), "exact": True, "largest": 0.0, "moved": []}


def test_verify_wants_a_run_that_has_finished(started: Callable[..., Path], inside: Nnfs) -> None:
    run = started(until=10)
    reason = "has not finished; its state is 'interrupted'. `nnfs resume` continues it"
    assert one_message(inside("verify", run), 2) == f"error: the training of {run} {reason}\n"
    assert inside("resume", run, "-q").returncode == 0
    assert inside("verify", run, "-q").returncode == 0


def changed_weights(run: Path, which: str) -> None:
    file = run / "weights" / f"{which}.npz"
    with np.load(file) as archive:
        arrays = dict(archive)
    next(iter(arrays.values())).flat[0] += 1e-6
    np.savez(file, **arrays)


def changed_log(run: Path) -> None:
    header, *rows = (run / "epochs.csv").read_text().splitlines()
    cells = rows[3].split(",")
    cells[-1] = repr(float(cells[-1]) + 1e-9)
    rows[3] = ",".join(cells)
    (run / "epochs.csv").write_text("\n".join([header, *rows]) + "\n")


def cut_log(run: Path) -> None:
    (run / "epochs.csv").write_text("".join((run / "epochs.csv").read_text().splitlines(keepends=True)[:-1]))


def changed_figure(run: Path) -> None:
    value = RunDirectory.open(run).metrics()["validation"]["loss"] * (1 + 1e-9)
    altered(run / "metrics.json", "validation", "loss", value=value)


def changed_best(run: Path) -> None:
    altered(run / "metrics.json", "best_epoch", value=1)


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "best": (lambda run: changed_weights(run, "best"), "the weights 'best'"),
    "last": (lambda run: changed_weights(run, "last"), "the weights 'last'"),
    "log": (changed_log, "the log from epoch 4 on"),
    "shorter-log": (cut_log, "the length of the log"),
    "figure": (changed_figure, "the figures"),
    "best-epoch": (changed_best, "the figures"),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_verify_names_what_was_changed(change: str, started: Callable[..., Path], inside: Nnfs) -> None:
    run, (make, named) = started(), CHANGES[change]
    make(run)
    one_message(inside("verify", run, "-q"), 2)
    refused = one_message(inside("verify", unsealed(run), "-q"), 2)
    assert refused.startswith(f"error: {run} was not reproduced; what differs: {named}; figures differ by up to ")


def test_verify_grants_another_machine_a_tolerance(started: Callable[..., Path], inside: Nnfs) -> None:
    run = unsealed(started())
    altered(run / "environment.json", "packages", "numpy", value="1.26.0")
    loss = RunDirectory.open(run).metrics()["validation"]["loss"]
    done = inside("verify", run, "-q")
    assert done.returncode == 0
    assert done.stdout.endswith("byte for byte: weights, log and figures\n")
    assert re.fullmatch(r"changed     numpy \S+ \(was 1\.26\.0\)\n", done.stderr)
    altered(unsealed(run) / "metrics.json", "validation", "loss", value=loss + 0.02 * max(1.0, loss))
    refused = inside("verify", run, "-q")
    assert refused.returncode == 2
    assert re.search(r"figures differ by up to 0\.0[12]\d* \(numpy \S+ \(was 1\.26\.0\)\)", refused.stderr)
    done = inside("verify", run, "-q", "--tolerance", 0.05)
    assert done.returncode == 0
    assert re.search(r"is reproduced within the tolerance: figures differ by up to 0\.0[12]\d*\n$", done.stdout)
    altered(run / "environment.json", "packages", "numpy", value=np.__version__)
    assert inside("verify", run, "-q", "--tolerance", 0.05).returncode == 2  # here, every byte is to be the same


# Ends


@pytest.mark.parametrize("how", ["killed", "interrupted"])
def test_what_was_stopped_early_stays_so_when_its_figures_are_broken_off(
    how: str, started: Callable[..., Path], inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training has come to its end; who goes on has only the figures left to do."""
    twin = started(early_stopping={"patience": 2, "min_delta": 10}, epochs=20)

    def broken(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["nnfs_cli.workflows.fit"], "score", broken)
        if how == "killed":
            patched.setattr(sys.modules["nnfs_cli.workflows.train"], "_record_failure", contextlib.nullcontext)
        assert inside("train", "config.yaml", "-q").returncode == 130
    run = twin.with_name("config-2")
    assert RunDirectory.open(run).status()["state"] == ("running" if how == "killed" else "interrupted")
    assert inside("resume", run, "-q").returncode == 0
    assert differences(run, record(twin)) == []
    assert inside("verify", run, "-q").returncode == 0


def test_another_patience_is_not_lost_with_whoever_was_to_have_it(
    started: Callable[..., Path], inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was stopped early is trained further, and killed before there is another state."""
    run = started(early_stopping={"patience": 2, "min_delta": 10}, epochs=20)

    def killed(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["nnfs_cli.workflows.train"], "_record_failure", contextlib.nullcontext)
        patched.setattr("nnfs_cli.runs.epoch_logger.EpochLogger.on_begin", killed)
        assert inside("resume", run, "--epochs", 20, "-q").returncode == 130
    assert RunDirectory.open(run).status()["state"] == "running"
    assert inside("resume", run, "-q").returncode == 0
    assert len(RunDirectory.open(run).epochs()) == 5
    assert inside("verify", run, "-q").returncode == 0


@pytest.mark.parametrize("settings", [{}, {"optimizer": "lbfgs", "lr": None, "batch_size": None}], ids=["sgd", "lbfgs"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_who_is_killed_on_taking_up_what_has_finished_leaves_it_as_sound_as_it_was(
    before: bool,
    settings: dict[str, Any],
    started: Callable[..., Path],
    inside: Nnfs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, add_session = started(**settings), StatusFile.add_session

    def killed(status_file: StatusFile, session: dict[str, Any]) -> None:
        if not before:
            add_session(status_file, session)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["nnfs_cli.workflows.train"], "_record_failure", contextlib.nullcontext)
        patched.setattr(StatusFile, "add_session", killed)
        assert inside("resume", run, "--epochs", 9, "-q").returncode == 130
    assert inside("verify", run, "-q").returncode == (0 if before else 2)
    assert inside("resume", run, "--epochs", 9, "-q").returncode == 0
    assert len(RunDirectory.open(run).epochs()) == 9
    assert inside("verify", run, "-q").returncode == 0


def test_rests_of_a_killed_writer_are_taken_away_wherever_they_are(started: Callable[..., Path], inside: Nnfs) -> None:
    run = started(**KINDS["momentum"] | {"epochs": 6})
    rests = [run / "evaluation" / "validation" / ".confusion.csv", run / "weights" / ".best.npz", run / ".state.npz"]
    for rest in rests:
        rest.with_name(f"{rest.name}.0123456789abcdef.tmp").write_bytes(b"half")
    assert inside("resume", run, "--epochs", 7, "-q").returncode == 0
    assert leftovers(run) == []


def test_a_log_that_was_cut_can_be_read_when_its_writer_is_killed_then(
    started: Callable[..., Path], inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was logged of a part of an epoch is cut off when training goes on from there."""
    run = started(max_minutes=1e-9)
    assert [row["step"] for row in RunDirectory.open(run).epochs()] == [1]

    def killed(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["nnfs_cli.workflows.train"], "_record_failure", contextlib.nullcontext)
        patched.setattr(StatusFile, "add_session", killed)
        assert inside("resume", run, "-q").returncode == 130
    assert is_run(run)
    assert inside("resume", run, "-q").returncode == 0
    assert is_run(run)
