"""What watches training and writes it down: the epoch log and the weights."""

from __future__ import annotations

import math
import time

import numpy as np

from nnfs_cli.model import Model
from nnfs_cli.parameters import Array
from nnfs_cli.runs import Run
from nnfs_cli.trainer import Callback, LogRow, Trainer


class EpochLog(Callback):
    """Writes a row of `epochs.csv` for each logged epoch, and lets readers see them twice a second."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._flushed = 0.0

    def on_epoch(self, trainer: Trainer, row: LogRow) -> None:
        """One row."""
        self.run.append_epoch(row)
        if time.monotonic() - self._flushed > 0.5:
            self.run.flush_epochs()
            self._flushed = time.monotonic()

    def on_end(self, trainer: Trainer) -> None:
        """The log is whole."""
        self.run.close_epochs()


class Checkpoint(Callback):
    """Keeps the weights of the logged epoch with the lowest `val_loss`, and those of the last epoch.

    Without validation rows the last epoch is the best. Both are on disk when training ends, however it ends, and
    every few seconds before that. Weights that are not finite are never written.
    """

    seconds_between_writes = 10.0

    def __init__(self, run: Run) -> None:
        self.run = run
        self.best: LogRow | None = None
        self._vector: Array | None = None  # the best weights
        self._unwritten = False
        self._written = time.monotonic()

    def on_epoch(self, trainer: Trainer, row: LogRow) -> None:
        """Remember the best; write now and then."""
        if self._improves(row) and np.isfinite(trainer.model.parameters.vector).all():
            self.best = row
            if self._vector is None:
                self._vector = np.empty_like(trainer.model.parameters.vector)
            np.copyto(self._vector, trainer.model.parameters.vector)
            self._unwritten = True
        if time.monotonic() - self._written > self.seconds_between_writes:
            self._write(trainer)

    def on_end(self, trainer: Trainer) -> None:
        """Write both."""
        self._write(trainer)

    def _improves(self, row: LogRow) -> bool:
        if self.best is None or "val_loss" not in row:
            return True
        best = self.best["val_loss"]
        return row["val_loss"] < best or math.isnan(best)

    def restore(self, model: Model) -> None:
        """Put a model back to the best weights, if there are any."""
        if self._vector is not None:
            np.copyto(model.parameters.vector, self._vector)

    def _write(self, trainer: Trainer) -> None:
        parameters = trainer.model.parameters
        if np.isfinite(parameters.vector).all():
            self.run.write_weights("last", parameters.arrays)
        if self._vector is not None and self._unwritten:
            self.run.write_weights("best", parameters.layout.arrays(self._vector))
            self._unwritten = False
        self._written = time.monotonic()
