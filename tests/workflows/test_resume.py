"""A training that was interrupted and resumed ends with the bytes of one that was not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_cli import workflows
from nnfs_cli.components.component import Component
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump, read
from nnfs_cli.errors import DataError, NnfsWarning, RunError
from nnfs_cli.experiment import read_data
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.progress import LogRow
from nnfs_cli.training.schedules import Schedule
from tests.conftest import unsealed, weights_of
from tests.twins import record

pytestmark = [
    pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning"),
    pytest.mark.usefixtures("each_engine"),
]

ROWS = 40
BASE: dict[str, Any] = {
    "dataset": {"csv": {"path": "table.csv", "target": "y"}},
    "split": {"validation": 0.25},
    "preprocessing": {"numbers": "standardize", "categories": "target_mean"},
    "layers": [{"linear": 6}, "tanh", {"linear": 1}],
    "loss": "mse",
    "lr": 0.02,
    "batch_size": 8,  # 30 rows to train: 4 steps an epoch, the last of 6 rows
    "epochs": 6,
}


def of(family: type[Component], key: str) -> dict[str, dict[str, Any]]:
    """A config for each example of each part."""
    return {
        f"{key}-{example}": {key: read(example.encode())[0]}
        for member in family.registered.values()
        for example in member.examples
    }


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    **of(Optimizer, "optimizer"),
    **of(Schedule, "schedule"),
    **of(Averaging, "averaging"),
    "swa-begun": {"averaging": {"swa": 0.4}, "optimizer": "adam"},
    "dropout": {"layers": [{"linear": 6}, "relu", {"dropout": 0.3}, {"linear": 1}], "optimizer": "adam"},
    "batch_norm": {"layers": [{"linear": 6}, "batch_norm", "relu", {"linear": 1}], "averaging": "ema", "lr": 0.1},
    "accumulate": {"accumulate": 2, "batch_size": 4, "layers": [{"linear": 4}, {"dropout": 0.5}, {"linear": 1}]},
    "replacement": {"replacement": True},
    "drop_last": {"drop_last": True},
    "in_order": {"shuffle": False},
    "full": {"batch_size": "full", "epochs": 20},
    "float64": {"dtype": "float64", "optimizer": "nadam"},
    "clip": {"clip": {"norm": 0.1}, "penalty": {"l2": 0.01}},
    "log_every": {"log_every": 2},
    "every": {"checkpoint": {"every": 2, "monitor": "val_r2"}},
    "patience": {"early_stopping": 1, "lr": 0.3, "epochs": 9},
    "plateau": {"schedule": {"reduce_on_plateau": {"patience": 0, "min_delta": 1.0}}, "optimizer": "adam"},
    "unvalidated": {"split": 0},
    "embedding": {"preprocessing": {"categories": {"embedding": 2}}, "optimizer": "adagrad"},
    "members": {
        "members": 3,
        "layers": [{"linear": 6}, "batch_norm", "relu", {"dropout": 0.3}, {"linear": 1}],
        "preprocessing": {"categories": {"embedding": 2}},
        "optimizer": "adam",
        "averaging": {"ema": 0.9},
    },
    "weighted": {"dataset": {"csv": {"path": "table.csv", "target": "y", "weight": "b"}}},
    "streamed": {"memory_limit": "1 MB", "optimizer": "adam"},
    "streamed-in-order": {"memory_limit": "1 MB", "shuffle": False, "averaging": {"ema": 0.5}},
}


class Killed(BaseException):
    """What cannot be caught, and leaves no time for anything."""


class Break(Callback):
    """Breaks training off at some steps, each once: as Ctrl-C does, or as a power cut."""

    def __init__(self, steps: Sequence[int], kills: bool = False) -> None:
        self.steps, self.kills = list(steps), kills

    def on_step(self, training: Training) -> None:
        if self.steps and training.progress.step >= self.steps[0]:
            self.steps.pop(0)
            if self.kills:
                training._ending.aborting = True
                raise Killed
            training.interrupt(KeyboardInterrupt())


class BreakWhileLooking(Callback):
    """Breaks off while an epoch is looked at."""

    def __init__(self, epochs: Sequence[int]) -> None:
        self.epochs = list(epochs)

    def on_begin(self, training: Training) -> None:
        evaluate = training.evaluate

        def broken() -> LogRow:
            if self.epochs and training.progress.epoch >= self.epochs[0]:
                self.epochs.pop(0)
                training.interrupt(KeyboardInterrupt())
            return evaluate()

        training.evaluate = broken


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table."""
    folder = tmp_path_factory.mktemp("resuming")
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal(ROWS), rng.integers(1, 4, ROWS)
    words = [["red", "green", "blue"][i % 3] for i in range(ROWS)]
    y = a * b + [len(word) for word in words] + 0.1 * rng.standard_normal(ROWS)
    rows = "".join(f"{a[i]:.4f},{b[i]},{words[i]},{y[i]:.4f}\n" for i in range(ROWS))
    (folder / "table.csv").write_text("a,b,word,y\n" + rows)
    return folder


def config(place: Path, changes: dict[str, Any]) -> Path:
    merged = {**BASE, **changes}
    if "lbfgs" in str(merged.get("optimizer")):
        del merged["lr"], merged["batch_size"]
    path = place / "config.yaml"
    path.write_text(dump(merged))
    return path


def trained(place: Path, changes: dict[str, Any], callbacks: Sequence[Callback] = ()) -> RunDirectory:
    """Train, and resume after each interruption."""
    experiment = workflows.prepare(Config.load(config(place, changes)))
    run = workflows.begin(experiment, place / "runs")
    try:
        workflows.train(experiment, run, callbacks)
    except (KeyboardInterrupt, Killed):
        run = resumed(run.path, callbacks)
    return run


def resumed(path: Path, callbacks: Sequence[Callback] = (), **options: Any) -> RunDirectory:
    while True:
        run = RunDirectory.open(path)
        experiment = workflows.reopen(run, **options)
        try:
            workflows.resume(experiment, run, callbacks)
        except (KeyboardInterrupt, Killed):
            continue
        return run


@pytest.fixture(scope="module")
def records() -> dict[tuple[str, str], dict[str, Any]]:
    """The records of runs that were never interrupted, by engine and name of the case."""
    return {}


@pytest.fixture
def whole(place: Path, each_engine: str, records: dict[tuple[str, str], dict[str, Any]]) -> Any:
    """The record of a run of the same engine that was never interrupted, by the name of its case."""

    def find(name: str) -> dict[str, Any]:
        if (each_engine, name) not in records:
            records[each_engine, name] = record(trained(place, CASES[name]).path)
        return records[each_engine, name]

    return find


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is written after each step, and a table of a few rows is too large for a memory limit."""
    monkeypatch.setattr(Checkpoint, "seconds_between_writes", -1.0)
    monkeypatch.setattr(Checkpoint, "share", float("inf"))
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr("nnfs_cli.data.csv.source.Csv.table_size", lambda source: 10**9)


BREAKS = {
    "kills": lambda steps: [Break(steps, kills=True)],
    "interruptions": lambda steps: [Break(steps)],
    "while-looking": lambda steps: [BreakWhileLooking(steps)],
}


# By default every case is broken off in one way, and the first one in all ways.
WAYS = [
    pytest.param(name, how, id=f"{name}-{how}", marks=[pytest.mark.slow] if i and j != i % 3 else [])
    for i, name in enumerate(CASES)
    for j, how in enumerate(BREAKS)
]


@pytest.mark.parametrize(("name", "how"), WAYS)
def test_what_was_broken_off_ends_as_if_it_had_not_been(name: str, how: str, place: Path, whole: Any) -> None:
    steps = [2, 3] if how == "while-looking" else [1, 6, 15]
    broken = trained(place, CASES[name], BREAKS[how](steps))
    assert record(broken.path) == whole(name)
    if "lbfgs" not in name:
        lineage = [(past["epoch"], past["step"]) for past in broken.status_file.lineage()]
        assert lineage == sorted(set(lineage))
        assert len(lineage) >= len(steps) - 2


MIXED: dict[str, Any] = {
    "layers": [{"linear": 8}, "batch_norm", "relu", {"dropout": 0.2}, {"linear": 1}],
    "optimizer": "adamw",
    "schedule": {"reduce_on_plateau": {"patience": 0, "min_delta": 0.1}},
    "averaging": {"swa": 0.5},
    "accumulate": 2,
    "batch_size": 5,
    "early_stopping": 4,
    "checkpoint": {"every": 2},
    "clip": {"norm": 1},
}
CASES["mixed"] = MIXED


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    breaks=st.lists(st.tuples(st.integers(1, 18), st.booleans()), min_size=1, max_size=6),
    looks=st.sets(st.integers(1, 6)),
)
def test_any_number_of_breaks_of_any_kind_change_nothing(
    breaks: list[tuple[int, bool]], looks: set[int], place: Path, whole: Any
) -> None:
    kills = [Break([step], kills) for step, kills in sorted(breaks)]
    run = trained(place, MIXED, [*kills, BreakWhileLooking(sorted(looks))])
    assert record(run.path) == whole("mixed")
    shutil.rmtree(run.path)


def test_a_time_limit_holds_for_each_session_and_a_part_of_an_epoch_does_not_count_as_one(
    place: Path, whole: Any
) -> None:
    path = trained(place, {"max_minutes": 1e-9}).path
    for session in range(1, 24):
        assert RunDirectory.open(path).epochs()[-1]["step"] == session  # the unfinished epoch is logged for now
        resumed(path)
    expected, found = whole("plain"), record(path)
    for name in ("weights/best.npz", "weights/last.npz", "epochs.csv", "state.npz", "metrics.json"):
        assert found[name] == expected[name], name


@pytest.mark.parametrize(
    "name", ["plain", "dropout", "batch_norm", "optimizer-adam", "schedule-step: 10", "averaging-ema", "streamed"]
)
def test_more_epochs_are_as_if_there_had_been_so_many_from_the_beginning(name: str, place: Path, whole: Any) -> None:
    run = trained(place, {**CASES[name], "epochs": 3})
    run = resumed(run.path, epochs=6)
    told = {"config.yaml": b"", "spec.yaml": b""}  # how many epochs there were to be at first
    assert {**record(run.path), **told} == {**whole(name), **told}
    assert [(past["epoch"], past["epochs"]) for past in run.status_file.lineage()] == [(3, 6)]


def test_a_schedule_is_planned_again_for_more_epochs(place: Path) -> None:
    run = trained(place, {"schedule": "linear", "epochs": 3})
    run = resumed(run.path, epochs=6)
    steps = [row["step"] - 1 for row in run.epochs()]
    expected = [1 - step / (12 if step < 12 else 24) for step in steps]
    assert [row["lr"] / 0.02 for row in run.epochs()] == pytest.approx(expected)


def test_who_goes_on_after_early_stopping_has_another_patience(place: Path) -> None:
    run = trained(place, {**CASES["patience"], "epochs": 50})
    ended = run.epochs()[-1]["epoch"]
    assert "no better" in run.metrics()["stopped"]
    with pytest.raises(RunError, match=r"has ended: val_loss was no better in 1 logged epoch; --epochs N"):
        resumed(run.path)
    run = resumed(run.path, epochs=int(ended) + 1)
    assert run.epochs()[-1]["epoch"] == ended + 1


@pytest.mark.parametrize("epochs", [None, 3, 6])
def test_what_has_finished_is_not_trained_again(place: Path, epochs: int | None) -> None:
    run = trained(place, {})
    before = record(run.path)
    with pytest.raises(RunError, match=r"has finished its 6 epochs; --epochs"):
        resumed(run.path, epochs=epochs)
    assert record(run.path) == before
    assert not (run.path / "lock").exists()


def test_fewer_epochs_than_are_done_are_refused_and_fewer_than_were_planned_are_not(place: Path, whole: Any) -> None:
    experiment = workflows.prepare(Config.load(config(place, {"epochs": 9})))
    run = workflows.begin(experiment, place / "runs")
    with pytest.raises(KeyboardInterrupt):
        workflows.train(experiment, run, [Break([18])])
    with pytest.raises(RunError, match=r"has done 4 epochs; --epochs is a total and must be larger"):
        resumed(run.path, epochs=3)
    assert run.status()["state"] == "interrupted"
    assert record(resumed(run.path, epochs=6).path)["weights/last.npz"] == whole("plain")["weights/last.npz"]


@pytest.fixture
def interrupted(place: Path) -> Path:
    """A run that was interrupted in its third epoch."""
    experiment = workflows.prepare(Config.load(config(place, {"optimizer": "adam"})))
    run = workflows.begin(experiment, place / "runs")
    with pytest.raises(KeyboardInterrupt):
        workflows.train(experiment, run, [Break([10])])
    assert run.status()["state"] == "interrupted"
    assert [row["epoch"] for row in run.epochs()] == [1, 2]
    return run.path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("damage", ["cut", "flipped", "of another net", "nothing", "not finite"])
def test_damaged_state_is_refused_and_nothing_is_changed(interrupted: Path, damage: str, sealed: bool) -> None:
    file = interrupted / "state.npz"
    with np.load(file) as state:
        arrays = dict(state)
    if damage == "of another net":
        arrays["optimizer.m"] = arrays["optimizer.m"][:-1]
    if damage == "not finite":
        arrays["weights"][3] = np.nan
    np.savez(file, **arrays)
    content = file.read_bytes()
    middle = content.index(b"}  ") + 100  # among the numbers
    flipped = content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
    file.write_bytes({"cut": content[:-30], "flipped": flipped, "nothing": b""}.get(damage, content))
    if not sealed:
        unsealed(interrupted)
    before = contents(interrupted)
    with pytest.raises(RunError, match=r"state\.npz is damaged"):
        resumed(interrupted)
    assert contents(interrupted) == before


def test_changed_data_is_refused_unless_told(interrupted: Path, place: Path) -> None:
    table = (place / "table.csv").read_text()
    try:
        (place / "table.csv").write_text(table + "0.5,1,red,2.0\n")
        before = contents(interrupted)
        with pytest.raises(DataError, match=r"table.csv has changed since .* was trained.*; --changed-data continues"):
            resumed(interrupted)
        assert contents(interrupted) == before
        with pytest.warns(NnfsWarning, match="table.csv has changed since"):
            run = resumed(interrupted, changed_data=True)
        assert workflows.evaluate(run)["validation"] == run.metrics()["validation"]  # of the data as it is now
        with pytest.raises(RunError, match="was trained on data that changed between its sessions"):
            workflows.verify(run)
    finally:
        (place / "table.csv").write_text(table)
    with pytest.raises(DataError, match="has changed since"):
        workflows.evaluate(run)


def test_another_machine_is_told_of(interrupted: Path) -> None:
    file = unsealed(interrupted) / "environment.json"
    environment = json.loads(file.read_text())
    environment["packages"]["numpy"] = "1.0"
    del environment["packages"]["scipy"]
    file.write_text(json.dumps({**environment, "processor": "abacus"}))
    told = r"numpy [0-9.]+ \(was 1.0\), scipy [0-9.]+ \(was missing\) and processor .* \(was abacus\)"
    with pytest.warns(NnfsWarning, match=rf"was trained in another environment, .*: {told}"):
        run = resumed(interrupted)
    verdict = workflows.verify(run)
    assert verdict.exact
    assert verdict.moved == []  # it ended here


def test_rests_of_a_writer_that_was_killed_are_taken_away(interrupted: Path) -> None:
    (interrupted / "weights" / ".best.npz.0123456789abcdef.tmp").write_bytes(b"half")
    (interrupted / ".state.npz.0123456789abcdef.tmp").write_bytes(b"half")
    (interrupted / ".mine.tmp").write_bytes(b"whole")
    resumed(interrupted)
    assert [path.name for path in interrupted.rglob(".*")] == [".mine.tmp"]


def test_what_a_state_holds_can_be_read_by_anyone(interrupted: Path) -> None:
    with np.load(interrupted / "state.npz", allow_pickle=False) as state:
        assert int(state["epoch"]) == 2
        assert int(state["step"]) == 10
        assert state["optimizer.m"].shape == state["weights"].shape
        last = weights_of(RunDirectory.open(interrupted), "last")
        np.testing.assert_array_equal(state["weights"][: last["0.weight"].size], last["0.weight"].ravel())


def test_run_that_is_trained_by_somebody_else_is_only_read(interrupted: Path) -> None:
    somebody = RunDirectory.open(interrupted)
    workflows.reopen(somebody)
    other = RunDirectory.open(interrupted)
    with pytest.raises(BlockingIOError, match=rf"is being written by process \d+ on .*{interrupted.name}"):
        workflows.reopen(other)
    with pytest.warns(NnfsWarning, match="is being written by process .*; nothing is saved there"):
        figures = workflows.evaluate(other)
    assert "validation" in figures
    somebody.release()
    assert not (interrupted / "lock").exists()
    workflows.reopen(other)
    other.release()


def test_run_of_a_release_that_kept_no_state_cannot_be_trained_further(place: Path) -> None:
    run = trained(place, {})
    (run.path / "state.npz").unlink()
    with pytest.raises(RunError, match=r"has no saved state: .*an earlier release made it"):
        resumed(run.path, epochs=9)
