"""What watches training: it writes the log and the weights down, and knows when it is enough."""

from __future__ import annotations

import math
import time

import numpy as np

from nnfs_cli.errors import counted
from nnfs_cli.kept import Kept
from nnfs_cli.model import Model
from nnfs_cli.runs import Run
from nnfs_cli.trainer import Callback, LogRow, Trainer
from nnfs_cli.watching import Mode, improves


class EpochLog(Callback):
    """Writes a row of `epochs.csv` for each logged epoch, and lets readers see them twice a second."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._flushed = 0.0

    def on_log(self, trainer: Trainer, row: LogRow) -> None:
        """One row."""
        self.run.append_epoch(row)
        if time.monotonic() - self._flushed > 0.5:
            self.run.flush_epochs()
            self._flushed = time.monotonic()

    def on_end(self, trainer: Trainer) -> None:
        """The log is whole."""
        self.run.close_epochs()


class Checkpoint(Callback):
    """Keeps the weights of the logged epoch with the best figure, those of the last epoch, and every n-th if wanted.

    Where the log does not have the figure, as without validation rows, the last epoch is the best. Epochs before there
    is an average of the weights, where one is wanted, do not compete with those after. Best and last are
    on disk when training ends, however it ends, and every few seconds before that. Weights that are not finite are
    never written.
    """

    seconds_between_writes = 10.0

    def __init__(self, run: Run, monitor: str = "val_loss", mode: Mode = "min", every: int | None = None) -> None:
        self.run, self.monitor, self.mode, self.every = run, monitor, mode, every
        self.best: LogRow | None = None
        self._kept: Kept | None = None  # the best weights

    def on_begin(self, trainer: Trainer) -> None:
        """Nothing has been seen."""
        self.best = self._kept = None
        self._unwritten, self._written, self._pending = False, time.monotonic(), False

    def on_epoch(self, trainer: Trainer) -> None:
        """Write every n-th epoch's."""
        if self.every and trainer.epoch % self.every == 0:
            self._write(f"epoch-{trainer.epoch}", trainer)

    def on_log(self, trainer: Trainer, row: LogRow) -> None:
        """Remember the best; write now and then."""
        if self._pending and not trainer.average.pending:
            self.best = None  # from here on it is the average that counts
        self._pending = trainer.average.pending
        if self._improves(row) and np.isfinite(trainer.model.parameters.vector).all():
            self.best = row
            self._kept = self._kept or Kept(trainer.model.parameters.vector)
            self._kept.keep()
            self._unwritten = True
        if time.monotonic() - self._written > self.seconds_between_writes:
            self._write_both(trainer)

    def on_end(self, trainer: Trainer) -> None:
        """Write both."""
        self._write_both(trainer)

    def _improves(self, row: LogRow) -> bool:
        if self.best is None or self.monitor not in row or math.isnan(self.best[self.monitor]):
            return True  # what is no number says nothing about the epoch
        return improves(row[self.monitor], self.best[self.monitor], self.mode)

    def restore(self, model: Model) -> None:
        """Put a model back to the best weights, if there are any."""
        if self._kept is not None:
            np.copyto(model.parameters.vector, self._kept.vector)

    def _write_both(self, trainer: Trainer) -> None:
        if self._kept is not None and self._unwritten:
            self.run.write_weights("best", trainer.model.parameters.layout.arrays(self._kept.vector))
            self._unwritten = False
        self._write("last", trainer)
        self._written = time.monotonic()

    def _write(self, which: str, trainer: Trainer) -> None:
        if np.isfinite(trainer.model.parameters.vector).all():
            self.run.write_weights(which, trainer.model.parameters.arrays)


class EarlyStop(Callback):
    """Stops after so many logged epochs in a row without a better figure. NaN is no better figure."""

    def __init__(self, patience: int, min_delta: float = 0.0, monitor: str = "val_loss", mode: Mode = "min") -> None:
        self.patience, self.min_delta, self.monitor, self.mode = patience, min_delta, monitor, mode

    def on_begin(self, trainer: Trainer) -> None:
        """Nothing has been seen."""
        self.best: float | None = None
        self.waited = 0

    def on_log(self, trainer: Trainer, row: LogRow) -> None:
        """Be patient, or stop."""
        if trainer.average.pending:
            return  # what is to be judged is still to come
        if improves(row[self.monitor], self.best, self.mode, self.min_delta):
            self.best, self.waited = row[self.monitor], 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            epochs = counted(self.waited, "logged epoch")
            trainer.stop(f"{self.monitor} was no better in {epochs}")


class TimeLimit(Callback):
    """Stops when time is up, also within an epoch."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes

    def on_begin(self, trainer: Trainer) -> None:
        """The clock starts."""
        self._end = time.monotonic() + 60 * self.minutes

    def on_step(self, trainer: Trainer) -> None:
        """Look at it."""
        if time.monotonic() >= self._end:
            trainer.stop(f"the time limit of {self.minutes:g} min is over")
