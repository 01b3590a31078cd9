"""The progress of training, as one small value that a checkpoint can save."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.wording import counted

State = dict[str, Array]  # everything needed to continue, by name
LogRow = dict[str, float]  # a row of the epoch log: epoch, step, seconds, lr, train_loss and the evaluated figures


def evaluated(prefix: str, figures: Mapping[str, float]) -> LogRow:
    """Return figures that were measured after an epoch, by their names in the log, such as `val_accuracy`.

    There is no `train_loss` among them: under this name, the log has the loss measured during the epoch.
    """
    return {prefix + name: figure for name, figure in figures.items() if prefix + name != "train_loss"}


class StateError(ValueError):
    """A saved state that does not fit the training."""


@dataclass(slots=True)
class Progress:
    """The progress of training: counts, the loss of the current epoch so far, the learning rate and the time."""

    epochs: int  # epochs of the whole training
    steps: int  # steps of one epoch
    rows: int = 0  # rows of one epoch; 0 where that is not known
    epoch: int = 0  # current epoch, counted from 1; 0 before the first
    finished: int = 0  # epochs that have ended
    step: int = 0  # steps made in all epochs
    batch: int = 0  # batches done in the current epoch
    loss: float = 0.0  # total loss of the rows of the current epoch so far
    weight: float = 0.0  # total weight of those rows
    lr: float | None = None  # learning rate of the last step; None for a minimizer
    _seconds: float = 0.0
    _started: float | None = None  # the clock at the start, moved forward by the time between sessions

    @property
    def mean_loss(self) -> float:
        """The mean loss of the current epoch so far; NaN before any row has counted."""
        return self.loss / self.weight if self.weight else math.nan

    @property
    def complete(self) -> bool:
        """Whether all steps of all epochs have been made."""
        return self.step >= self.steps * self.epochs

    @property
    def seconds(self) -> float:
        """Seconds of training, without the time between an interruption and the resumption."""
        return self._seconds if self._started is None else time.perf_counter() - self._started

    def start_clock(self) -> None:
        """Count time from now on."""
        self._started = time.perf_counter() - self._seconds

    def go_to(self, later: Progress) -> None:
        """Take over the counts and figures of later progress in the same training."""
        self.epoch, self.step, self.batch, self.lr = later.epoch, later.step, later.batch, later.lr
        self.loss, self.weight = later.loss, later.weight

    def end_epoch(self) -> None:
        """Count the current epoch as finished."""
        self.finished, self.loss, self.weight = self.epoch, 0.0, 0.0

    def state(self) -> State:
        """Return what `restore` needs: the counts as int64, the figures as float64, all without axes."""
        counts = {"epoch": self.finished, "step": self.step, "steps": self.steps}
        figures = {"loss": self.loss, "weight": self.weight, "seconds": self.seconds, "lr": self.lr}
        state = {name: np.array(count, np.int64) for name, count in counts.items()}
        return state | {name: np.array(math.nan if figure is None else figure) for name, figure in figures.items()}

    def check(self, state: Mapping[str, Array]) -> None:
        """Raise `StateError` unless the counts of a saved state are possible in this training.

        That includes the counts of built-in callbacks. The log's length is checked by the log itself, and a custom
        callback may count whatever it wants.
        """
        epoch, step, steps = (int(state[name]) for name in ("epoch", "step", "steps"))
        if not (0 <= epoch <= self.epochs and epoch * steps <= step <= (epoch + 1) * steps):
            raise StateError(
                f"{counted(step, 'step')} cannot belong to {counted(epoch, 'epoch')} of {counted(steps, 'step')}"
            )
        for name, count in state.items():
            if name == "log.bytes" or name.startswith("callback.") or count.dtype.kind != "i" or count.shape:
                continue
            if not 0 <= count <= max(step, steps):
                raise StateError(f"{name} is {count}, after {counted(step, 'step')}")

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from a saved state.

        If an epoch now has a different number of steps, continue from the beginning of the epoch.
        """
        self.epoch = self.finished = int(state["epoch"])
        self.step = int(state["step"])
        self.loss, self.weight, self._seconds = (float(state[name]) for name in ("loss", "weight", "seconds"))
        self.lr = None if np.isnan(state["lr"]) else float(state["lr"])
        if int(state["steps"]) != self.steps:
            self.step, self.loss, self.weight = self.finished * self.steps, 0.0, 0.0
