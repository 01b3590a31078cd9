"""Stop training once it no longer improves a figure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field, PrivateAttr

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat, PositiveInt, Text
from nnfs_cli.components.section import Section
from nnfs_cli.metrics.direction import Mode, improves
from nnfs_cli.system.wording import counted
from nnfs_cli.training.callbacks.base import Callback, Training
from nnfs_cli.training.progress import LogRow, State


class EarlyStopping(Section, Callback):
    """Stop training after `patience` logged epochs in a row without a better figure. NaN is never better.

    If the weights are averaged, it waits for the first average.

    >>> from nnfs_cli import EarlyStopping, train
    >>> run = train("configs/iris.yaml", epochs=50, lr=3.0, early_stopping=EarlyStopping(5))
    >>> len(run.history) < 50
    True
    """

    main = "patience"
    key: ClassVar[str] = "early_stopping"

    patience: PositiveInt = Field(default=10, kw_only=False)
    """Logged epochs in a row that may pass without a better figure."""
    min_delta: NonNegativeFloat = 0.0
    """A figure is better if it improves by more than this."""
    monitor: Text | None = None
    """Figure of the log to watch. By default it is the figure that checkpoint watches, or val_loss."""
    mode: Mode | None = None
    """Whether lower (min) or higher (max) figures are better. By default, the loss or the metric decides."""

    _best: float | None = PrivateAttr(None)
    _waited: int = PrivateAttr(0)

    @classmethod
    def title(cls) -> str:
        """Return the key of the config that holds these settings."""
        return "early_stopping"

    def reset(self, training: Training) -> None:
        """Forget every figure."""
        self._best, self._waited = None, 0

    def state(self) -> State:
        """Return the best figure, and how many logged epochs have passed since."""
        best = math.nan if self._best is None else self._best
        return {"best": np.array(best, np.float64), "waited": np.array(self._waited, np.int64)}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Restore the best figure, and how many logged epochs have passed since."""
        self._best = None if np.isnan(state["best"]) else float(state["best"])
        self._waited = int(state["waited"])

    def on_begin(self, training: Training) -> None:
        """Stop at once if patience had already run out."""
        if self._waited >= self.patience:
            self._stop(training)

    def on_log(self, training: Training, row: LogRow) -> None:
        """Stop if patience runs out."""
        if training.average.pending:
            return
        figure = row[self.monitor or "val_loss"]
        if improves(figure, self._best, self.mode or "min", self.min_delta):
            self._best, self._waited = figure, 0
            return
        self._waited += 1
        if self._waited >= self.patience:
            self._stop(training)

    def _stop(self, training: Training) -> None:
        training.stop(f"{self.monitor or 'val_loss'} was no better in {counted(self._waited, 'logged epoch')}")
