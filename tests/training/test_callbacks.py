"""Callbacks that a config names: the built-in ones, and those of a --code file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.components.component import Component
from nnfs_cli.components.user_code import LOADED, load_code
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.callbacks import Callback, NamedCallback, Training
from nnfs_cli.training.callbacks.stop_at import StopAt
from nnfs_cli.training.progress import LogRow
from tests.conftest import Nnfs
from tests.twins import Leaving, record

CODE = '''\
"""A callback that ends training once the loss has fallen often enough."""

import numpy as np

from nnfs_cli.components.field_types import PositiveInt
from nnfs_cli.training.callbacks import NamedCallback


class Falls(NamedCallback, name="falls", main="most"):
    """Stop once train_loss has been below its first value `most` times."""

    examples = ("falls: 4",)

    most: PositiveInt
    """Number of logged epochs."""
    _first: float = np.nan
    _falls: int = 0

    def reset(self, training):
        self._first, self._falls = np.nan, 0

    def state(self):
        return {"first": np.array(self._first), "falls": np.array(self._falls)}

    def restore(self, state):
        self._first, self._falls = float(state["first"]), int(state["falls"])

    def on_log(self, training, row):
        if np.isnan(self._first):
            self._first = row["train_loss"]
        self._falls += row["train_loss"] < self._first
        if self._falls >= self.most:
            training.stop(f"the loss has fallen {self._falls} times")
'''
CONFIG: dict[str, Any] = {
    "dataset": {"csv": {"path": "points.csv", "target": "y"}},
    "layers": [{"linear": 4}, "tanh", {"linear": 1}],
    "loss": "mse",
    "optimizer": "adam",
    "callbacks": [{"falls": 4}],
    "batch_size": 8,
    "epochs": 20,
}
POINTS = "a,b,y\n" + "".join(f"{i % 7},{i % 5},{i % 7 * (i % 5)}\n" for i in range(40))


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Path]:
    """The file of a custom callback, with a config and its table; afterwards it is as if it had never been loaded."""
    families, loaded = Component.families.values(), dict(LOADED)
    before = {family: dict(family.registered) for family in families}
    for name, text in {"falls.py": CODE, "points.csv": POINTS, "config.yaml": json.dumps(CONFIG)}.items():
        (tmp_path / name).write_text(text)
    yield tmp_path / "falls.py"
    for family in families:
        family.registered.clear()
        family.registered.update(before[family])
    LOADED.clear()
    LOADED.update(loaded)


def trained(folder: Path, *callbacks: Callback) -> RunDirectory:
    """Train the config in a folder, and resume it as often as it is interrupted."""
    experiment = workflows.prepare(Config.load(folder / "config.yaml"))
    run = workflows.begin(experiment, folder / "runs")
    try:
        workflows.train(experiment, run, callbacks)
    except KeyboardInterrupt:
        run = RunDirectory.open(run.path)
        workflows.resume(workflows.reopen(run), run)
    return run


@pytest.mark.parametrize("step", [2, 5, 11])
def test_a_custom_callback_keeps_its_memory_when_a_run_is_resumed(code: Path, step: int) -> None:
    load_code(code)
    whole, interrupted = trained(code.parent), trained(code.parent, Leaving(step))
    assert whole.metrics()["stopped"] == "the loss has fallen 4 times"
    assert 4 < len(whole.epochs()) < 20
    assert record(interrupted.path) == record(whole.path)
    with np.load(whole.path / "state.npz") as state:
        assert state["callback.falls.falls"] == 4
        assert math.isfinite(state["callback.falls.first"])


def test_a_custom_callback_works_from_the_command_line(code: Path, inside: Nnfs) -> None:
    done = inside("train", "config.yaml", "--code", code, "-q")
    assert done.returncode == 0, done.stderr
    run = code.parent / "runs" / "config-1"
    assert (run / "code" / "falls.py").read_text() == CODE
    assert "callbacks:\n  - falls:\n      most: 4\n" in (run / "spec.yaml").read_text()
    assert inside("verify", run, "--code", code, "-q").returncode == 0
    epochs = len(RunDirectory.open(run).epochs())
    assert inside("resume", run, "--code", code, "--epochs", 30, "-q").returncode == 0
    assert len(RunDirectory.open(run).epochs()) == epochs + 1  # the callback still has its count, and stops at once
    assert "falls    Stop once train_loss has been below" in inside("components", "callbacks", "--code", code).stdout


def test_a_config_is_unchanged_by_what_its_callbacks_remember(code: Path) -> None:
    load_code(code)
    config, same = (Config.load(code.parent / "config.yaml") for _ in range(2))
    experiment = workflows.prepare(config)
    workflows.train(experiment, workflows.begin(experiment, code.parent / "runs"))
    assert config == same
    assert config.callbacks[0]._falls == 0


def test_callbacks_of_one_name_remember_each_its_own(code: Path) -> None:
    load_code(code)
    twice = {**CONFIG, "callbacks": [{"falls": 9}, {"falls": 4}]}
    (code.parent / "config.yaml").write_text(json.dumps(twice))
    whole, interrupted = trained(code.parent), trained(code.parent, Leaving(7))
    assert record(interrupted.path) == record(whole.path)
    with np.load(whole.path / "state.npz") as state:
        assert {"callback.falls.falls", "callback.falls-2.falls"} <= set(state)


# --- stop_at ---


class Heard:
    """A training that does nothing but remember why it was stopped."""

    def __init__(self, pending: bool = False) -> None:
        self.stopped = ""
        self.average = type("Average", (), {"pending": pending})

    def stop(self, reason: str) -> None:
        self.stopped = reason


@pytest.mark.parametrize(
    ("callback", "row", "reason"),
    [
        (StopAt(value=0.5), {"val_loss": 0.6}, ""),
        (StopAt(value=0.5), {"val_loss": 0.5}, "val_loss has reached 0.5"),
        (StopAt(value=0.5), {"val_loss": math.nan}, ""),
        (StopAt(value=0.9, monitor="val_accuracy", mode="max"), {"val_accuracy": 0.89}, ""),
        (StopAt(value=0.9, monitor="val_accuracy", mode="max"), {"val_accuracy": 0.9}, "val_accuracy has reached 0.9"),
    ],
)
def test_stop_at_stops_where_the_figure_is_good_enough(callback: StopAt, row: LogRow, reason: str) -> None:
    heard, waiting = Heard(), Heard(pending=True)
    callback.on_log(heard, row)
    callback.on_log(waiting, row)  # for the first average of the weights
    assert (heard.stopped, waiting.stopped) == (reason, "")


def test_stop_at_watches_the_figure_of_the_checkpoint_unless_told_otherwise(code: Path) -> None:
    changed = {
        **CONFIG,
        "checkpoint": {"monitor": "val_r2"},
        "callbacks": [{"stop_at": 0.2}, {"stop_at": {"value": 9, "monitor": "val_rmse"}}],
    }
    (code.parent / "config.yaml").write_text(json.dumps(changed))
    first, second = Config.load(code.parent / "config.yaml").callbacks
    assert (first.monitor, first.mode, second.monitor, second.mode) == ("val_r2", "max", "val_rmse", "min")
    run = trained(code.parent)
    assert run.metrics()["stopped"].startswith("val_r")
    last = run.epochs()[-1]
    assert last["val_r2"] >= 0.2 or last["val_rmse"] <= 9


def test_a_callback_that_watches_an_unknown_figure_is_refused_at_its_place(code: Path) -> None:
    text = CONFIG | {"callbacks": [{"stop_at": {"value": 1, "monitor": "val_acuracy"}}]}
    (code.parent / "config.yaml").write_text(json.dumps(text))
    with pytest.raises(ConfigError, match=r"config.yaml:1:\d+: .*the log has no figure 'val_acuracy'"):
        Config.load(code.parent / "config.yaml")


def test_hooks_of_a_named_callback_are_those_of_every_callback() -> None:
    hooks = {name for name in vars(Callback) if not name.startswith("_")}
    assert hooks >= {"reset", "state", "restore", "on_begin", "on_step", "on_log", "on_epoch", "on_end"}
    assert all(getattr(NamedCallback, name) is getattr(Callback, name) for name in hooks - {"key"})
    assert Training  # what the hooks are given
