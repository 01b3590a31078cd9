"""What watches training: it writes the log, the weights and the state down, and knows when it is enough."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array, all_finite
from nnfs_cli.errors import Terminated
from nnfs_cli.metrics.direction import Mode, improves
from nnfs_cli.nn.model import Model
from nnfs_cli.runs.run import Run
from nnfs_cli.system.spill import SpilledCopy
from nnfs_cli.system.wording import counted
from nnfs_cli.training.trainer import Callback, LogRow, State, Trainer


class EpochLog(Callback):
    """Writes a row of `epochs.csv` for each logged epoch, and lets readers see them twice a second."""

    key = "log"

    def __init__(self, run: Run) -> None:
        self.run = run
        self._flushed = 0.0
        self._length: int | None = None  # of the log, where training goes on from

    def state(self) -> State:
        """How long the log is, all of which is safe on the disk then."""
        return {"bytes": np.array(self.run.sync_epochs(), np.int64)}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Look whether there is as much."""
        self._length = int(state["bytes"])
        self.run.require_epochs(self._length)

    def on_begin(self, trainer: Trainer) -> None:
        """Cut off what was logged later."""
        if self._length is not None:
            self.run.cut_epochs(self._length)

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
    is an average of the weights, where one is wanted, do not compete with those after. Best and last are on disk when
    training ends, however it ends, and so is the state to go on from; and every few seconds before that. Weights that
    are not finite are never written.
    """

    key = "best"
    seconds_between_writes = 10.0
    share = 0.05  # of the time that writing may take

    def __init__(self, run: Run, monitor: str = "val_loss", mode: Mode = "min", every: int | None = None) -> None:
        self.run, self.monitor, self.mode, self.every = run, monitor, mode, every
        self.reset(None)

    def reset(self, trainer: Trainer | None) -> None:
        """Nothing has been seen."""
        self.best: LogRow | None = None
        self._kept: SpilledCopy | None = None  # the best weights
        self._weights = trainer.model.parameters.vector if trainer else np.empty(0)
        self._pending = self._unwritten = self._behind = False

    def state(self) -> State:
        """The best epoch, and its weights."""
        best = self.best or {"epoch": 0}
        return {
            "weights": self._kept.vector if self._kept else np.zeros_like(self._weights),
            "epoch": np.array(best["epoch"], np.int64),
            "figure": np.array(best.get(self.monitor, math.nan), np.float64),
            "pending": np.array(self._pending),
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        """Take them back."""
        self._pending = bool(state["pending"])
        if state["epoch"]:
            self.best = {"epoch": int(state["epoch"]), self.monitor: float(state["figure"])}
            self._keep(state["weights"])

    def on_begin(self, trainer: Trainer) -> None:
        """The clock starts; what was kept of epochs that are still to come is gone."""
        self.run.forget_weights(trainer.epoch)
        self._due = time.monotonic() + self.seconds_between_writes

    def on_step(self, trainer: Trainer) -> None:
        """Write the state now and then, and where training is about to end in the middle of an epoch."""
        if (begun := time.monotonic()) > self._due or trainer.stopped:
            self._write_state(trainer)
            ended = time.monotonic()
            self._due = ended + max(self.seconds_between_writes, (ended - begun) / self.share)
            self._behind = True

    def on_epoch(self, trainer: Trainer) -> None:
        """Write every n-th epoch's weights."""
        if self.every and trainer.epoch % self.every == 0:
            self._write(f"epoch-{trainer.epoch}", trainer)

    def on_log(self, trainer: Trainer, row: LogRow) -> None:
        """Remember the best; write weights as often as states."""
        if self._pending and not trainer.average.pending:
            self.best = None  # from here on it is the average that counts
        self._pending = trainer.average.pending
        if self._improves(row) and all_finite(trainer.model.parameters.vector):
            self.best = row
            self._keep(trainer.model.parameters.vector)
        if self._behind:
            self._write_weights(trainer)

    def on_end(self, trainer: Trainer) -> None:
        """Write all, unless there is no time for it."""
        if not trainer.hurried:
            self._write_weights(trainer)
            self._write_state(trainer)

    def _improves(self, row: LogRow) -> bool:
        figure = math.nan if self.best is None else self.best.get(self.monitor, math.nan)
        if math.isnan(figure) or self.monitor not in row:
            return True  # what is no number says nothing about the epoch
        return improves(row[self.monitor], figure, self.mode)

    def restore_best(self, model: Model) -> None:
        """Put a model back to the best weights, if there are any."""
        if self._kept is not None:
            np.copyto(model.parameters.vector, self._kept.vector)

    def _keep(self, weights: Array) -> None:
        self._kept = self._kept or SpilledCopy(weights)
        self._kept.store(weights)
        self._unwritten = True

    def _write_weights(self, trainer: Trainer) -> None:
        if self._kept is not None and self._unwritten:
            self.run.write_weights("best", trainer.model.parameters.layout.arrays(self._kept.vector))
            self._unwritten = False
        self._write("last", trainer)
        self._behind = False

    def _write(self, which: str, trainer: Trainer) -> None:
        if all_finite(trainer.model.parameters.vector):
            self.run.write_weights(which, trainer.model.parameters.arrays)

    def _write_state(self, trainer: Trainer) -> None:
        if trainer.resumable and all_finite(trainer.average.raw):
            self.run.write_state(trainer.state())


class Interruptions(Callback):
    """Lets Ctrl-C and SIGTERM end training after the step that is being made; a second one ends it at once.

    Only where signals can be heard: in the main thread.
    """

    def on_begin(self, trainer: Trainer) -> None:
        """Listen."""
        self._handlers: dict[int, Any] = {}
        if threading.current_thread() is not threading.main_thread():
            return

        def hear(number: int, frame: FrameType | None) -> None:
            trainer.interrupt(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())

        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, hear)

    def on_end(self, trainer: Trainer) -> None:
        """Leave it to whoever listened before."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


class EarlyStop(Callback):
    """Stops after so many logged epochs in a row without a better figure. NaN is no better figure."""

    key = "early_stopping"

    def __init__(self, patience: int, min_delta: float = 0.0, monitor: str = "val_loss", mode: Mode = "min") -> None:
        self.patience, self.min_delta, self.monitor, self.mode = patience, min_delta, monitor, mode
        self.best: float | None = None

    def reset(self, trainer: Trainer) -> None:
        """Nothing has been seen."""
        self.best, self.waited = None, 0

    def state(self) -> State:
        """The best figure, and for how many epochs there was no better one."""
        best = math.nan if self.best is None else self.best
        return {"best": np.array(best, np.float64), "waited": np.array(self.waited, np.int64)}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Take them back."""
        self.best = None if np.isnan(state["best"]) else float(state["best"])
        self.waited = int(state["waited"])

    def on_begin(self, trainer: Trainer) -> None:
        """What had come to its end does not go on."""
        if self.waited >= self.patience:
            self._stop(trainer)

    def on_log(self, trainer: Trainer, row: LogRow) -> None:
        """Be patient, or stop."""
        if trainer.average.pending:
            return  # what is to be judged is still to come
        if improves(row[self.monitor], self.best, self.mode, self.min_delta):
            self.best, self.waited = row[self.monitor], 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self._stop(trainer)

    def _stop(self, trainer: Trainer) -> None:
        trainer.stop(f"{self.monitor} was no better in {counted(self.waited, 'logged epoch')}")


class TimeLimit(Callback):
    """Stops when time is up, also within an epoch."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self.reason = f"the time limit of {minutes:g} min is over"

    def on_begin(self, trainer: Trainer) -> None:
        """The clock starts."""
        self._end = time.monotonic() + 60 * self.minutes

    def on_step(self, trainer: Trainer) -> None:
        """Look at it."""
        if time.monotonic() >= self._end:
            trainer.stop(self.reason)


class Until(Callback):
    """Leaves at a place: when so many epochs have ended, and so many steps of all are made."""

    def __init__(self, epoch: int, step: int, leave: Callable[[Trainer], object]) -> None:
        self.epoch, self.step, self.leave = epoch, step, leave

    def on_step(self, trainer: Trainer) -> None:
        """In an epoch."""
        if trainer.step == self.step and trainer.epoch > self.epoch:
            self.leave(trainer)

    def on_epoch(self, trainer: Trainer) -> None:
        """Or at its end."""
        if trainer.step == self.step and trainer.epoch == self.epoch:
            self.leave(trainer)
