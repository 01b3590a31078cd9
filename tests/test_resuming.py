"""A training that was broken off and taken up again ends with the bytes of one that was not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import material, tasks
from nnfs_cli.averaging import Averaging
from nnfs_cli.callbacks import Checkpoint
from nnfs_cli.component import Component
from nnfs_cli.optimizers import Optimizer
from nnfs_cli.plain_yaml import dump
from nnfs_cli.runs import Run
from nnfs_cli.schedules import Schedule
from nnfs_cli.spec import Spec
from nnfs_cli.trainer import Callback, LogRow, Trainer
from tests.twins import record

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

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
    from nnfs_cli import plain_yaml

    return {
        f"{key}-{example}": {key: plain_yaml.read(example.encode())[0]}
        for member in family.members.values()
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

    def on_step(self, trainer: Trainer) -> None:
        if self.steps and trainer.step >= self.steps[0]:
            self.steps.pop(0)
            if self.kills:
                trainer.hurried = True
                raise Killed
            trainer.interrupt(KeyboardInterrupt())


class BreakWhileLooking(Callback):
    """Breaks off while an epoch is looked at."""

    def __init__(self, epochs: Sequence[int]) -> None:
        self.epochs = list(epochs)
        self.trainer: Trainer | None = None

    def on_begin(self, trainer: Trainer) -> None:
        evaluate = trainer.evaluate

        def broken() -> LogRow:
            if self.epochs and trainer.epoch >= self.epochs[0]:
                self.epochs.pop(0)
                trainer.interrupt(KeyboardInterrupt())
            return evaluate()

        trainer.evaluate = broken


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


def config(place: Path, settings: dict[str, Any]) -> Path:
    merged = {**BASE, **settings}
    if "lbfgs" in str(merged.get("optimizer")):
        del merged["lr"], merged["batch_size"]
    path = place / "config.yaml"
    path.write_text(dump(merged))
    return path


def trained(place: Path, settings: dict[str, Any], callbacks: Sequence[Callback] = ()) -> Run:
    """Train, and again and again where it is broken off."""
    experiment = tasks.prepare(Spec.load(config(place, settings)))
    run = tasks.begin(experiment, place / "runs")
    try:
        tasks.train(experiment, run, callbacks)
    except (KeyboardInterrupt, Killed):
        run = resumed(run.path, callbacks)
    return run


def resumed(path: Path, callbacks: Sequence[Callback] = (), **options: Any) -> Run:
    while True:
        run = Run.open(path)
        experiment = tasks.reopen(run, **options)
        try:
            tasks.resume(experiment, run, callbacks)
        except (KeyboardInterrupt, Killed):
            continue
        return run


@pytest.fixture(scope="module")
def whole(place: Path) -> Any:
    """The record of a run that was never broken off, by the name of its case."""
    records: dict[str, dict[str, Any]] = {}

    def find(name: str) -> dict[str, Any]:
        if name not in records:
            records[name] = record(trained(place, CASES[name]).path)
        return records[name]

    return find


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is written after each step, and a table of a few rows is too large for a memory limit."""
    monkeypatch.setattr(Checkpoint, "seconds_between_writes", -1.0)
    monkeypatch.setattr(Checkpoint, "share", float("inf"))
    monkeypatch.setattr(material, "MACHINERY", 0)
    monkeypatch.setattr(material, "_size", lambda source: 10**9)


BREAKS = {
    "kills": lambda steps: [Break(steps, kills=True)],
    "interruptions": lambda steps: [Break(steps)],
    "while-looking": lambda steps: [BreakWhileLooking(steps)],
}


@pytest.mark.parametrize("how", list(BREAKS))
@pytest.mark.parametrize("name", list(CASES))
def test_what_was_broken_off_ends_as_if_it_had_not_been(name: str, how: str, place: Path, whole: Any) -> None:
    steps = [2, 3] if how == "while-looking" else [1, 6, 8, 15]
    broken = trained(place, CASES[name], BREAKS[how](steps))
    assert record(broken.path) == whole(name)
    if "lbfgs" not in name:
        lineage = [(past["epoch"], past["step"]) for past in broken.lineage()]
        assert lineage == sorted(set(lineage))
        assert len(lineage) >= len(steps) - 2
