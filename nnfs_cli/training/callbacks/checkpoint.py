"""Keep the weights of the best epoch and of the last one, and the state to resume from."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from pydantic import Field, PrivateAttr

from nnfs_cli.arrays import Array, all_finite
from nnfs_cli.components.field_types import PositiveInt, Text
from nnfs_cli.components.section import Section
from nnfs_cli.metrics.direction import Mode, improves
from nnfs_cli.nn.model import Model
from nnfs_cli.system.spill import SpilledCopy
from nnfs_cli.training.callbacks.base import Callback, Training
from nnfs_cli.training.progress import LogRow, State


class Store(Protocol):
    """A place for checkpoints, such as a run directory."""

    def write_weights(self, which: str, arrays: Mapping[str, Array]) -> None:
        """Keep weights by name; `which` is best, last or epoch-<n>."""

    def forget_weights(self, after: int) -> None:
        """Remove the weights epoch-<n> of epochs after this one."""

    def write_state(self, arrays: State) -> None:
        """Keep a state to resume from."""


class _Memory:
    """What a checkpoint remembers. It is not in the section itself, where pydantic makes each look take 2 us."""

    def __init__(self, weights: Any) -> None:
        self.weights = weights  # the array of the net's weights
        self.best: LogRow | None = None
        self.best_weights: SpilledCopy | None = None
        self.best_is_unaveraged = False  # whether the best epoch lies before the first average
        self.unwritten = False  # whether the best weights are newer than those in the store
        self.weights_outdated = False  # whether the weights in the store are older than the state there
        self.next_write = 0.0  # time of the next write of a state

    def keep(self, weights: Array) -> None:
        """Keep the best weights."""
        if self.best_weights is None:
            self.best_weights = SpilledCopy(weights)
        self.best_weights.store(weights)
        self.unwritten = True


class Checkpoint(Section, Callback):
    """Keep the weights of the best and the last epoch, of every n-th epoch if wanted, and the state to resume from.

    The best epoch is the logged epoch with the best figure. If the log lacks the figure, as without validation rows,
    the last epoch is the best. Epochs before the first average of the weights do not compete with those after it.

    Best weights, last weights and state are written when training ends, however it ends, and every few seconds before.
    Weights that are not finite are never written. Without a store only the best weights are kept, in memory.

    >>> import numpy as np
    >>> from nnfs_cli import Checkpoint, Linear, Sequential
    >>> X, y = np.linspace(-1, 1, 40).reshape(-1, 1), np.linspace(1, 3, 40)
    >>> net = Sequential([Linear(1)])
    >>> history = net.fit(X, y, loss="mse", validation_data=(X, y), callbacks=[Checkpoint()])
    >>> np.isclose(net.evaluate(X, y)["loss"], history["val_loss"].min()).item()
    True
    """

    main = "every"
    key: ClassVar[str] = "best"
    seconds_between_writes: ClassVar[float] = 10.0
    share: ClassVar[float] = 0.05  # largest share of the time that writing may take

    every: PositiveInt | None = Field(default=None, kw_only=False)
    """Also keep the weights of every n-th epoch, as weights/epoch-<n>.npz."""
    monitor: Text | None = None
    """Figure of the log that decides. By default it is the figure that early_stopping watches, or val_loss."""
    mode: Mode | None = None
    """Whether lower (min) or higher (max) figures are better. By default, the loss or the metric decides."""

    _store: Store | None = PrivateAttr(None)
    _memory: Any = PrivateAttr(None)  # a _Memory, from the beginning of a training on

    def into(self, store: Store | None) -> Self:
        """Return a copy that writes to a store, or only keeps the best weights in memory."""
        copy = self.model_copy()
        copy._store, copy._memory = store, None
        return copy

    @property
    def best_epoch(self) -> float | None:
        """The best epoch so far, if there is one."""
        memory: _Memory | None = self._memory
        return memory.best["epoch"] if memory and memory.best else None

    def restore_best(self, model: Model) -> None:
        """Put the best weights into the model, if there are any."""
        memory: _Memory | None = self._memory
        if memory and memory.best_weights:
            np.copyto(model.parameters.vector, memory.best_weights.vector)

    def reset(self, training: Training) -> None:
        """Forget the best epoch."""
        self._memory = _Memory(training.model.parameters.vector)

    def state(self) -> State:
        """Return the best epoch and its weights."""
        memory: _Memory = self._memory
        best, weights = memory.best or {"epoch": 0}, memory.weights
        return {
            "weights": memory.best_weights.vector if memory.best_weights else np.zeros(weights.shape, weights.dtype),
            "epoch": np.array(best["epoch"], np.int64),
            "figure": np.array(best.get(self._figure, math.nan), np.float64),
            "pending": np.array(memory.best_is_unaveraged),
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        """Restore the best epoch and its weights."""
        memory: _Memory = self._memory
        memory.best_is_unaveraged = bool(state["pending"])
        if state["epoch"]:
            memory.best = {"epoch": int(state["epoch"]), self._figure: float(state["figure"])}
            memory.keep(state["weights"])

    def on_begin(self, training: Training) -> None:
        """Remove the weights of epochs that are still to come, and start the clock."""
        if self._store is not None:
            self._store.forget_weights(training.progress.epoch)
        self._memory.next_write = time.monotonic() + self.seconds_between_writes

    def next_stop(self, training: Training) -> float:
        """Write by the clock."""
        return math.inf

    def on_step(self, training: Training) -> None:
        """Write the state from time to time, and if training is about to stop within an epoch."""
        memory = self._fast_memory()
        if (began := time.monotonic()) > memory.next_write or training.stopped:
            self._write_state(training)
            ended = time.monotonic()
            memory.next_write = ended + max(self.seconds_between_writes, (ended - began) / self.share)
            memory.weights_outdated = True

    def on_epoch(self, training: Training) -> None:
        """Write the weights of every n-th epoch."""
        epoch = training.progress.epoch
        if self.every and epoch % self.every == 0:
            self._write(f"epoch-{epoch}", training)

    def on_log(self, training: Training, row: LogRow) -> None:
        """Keep the weights if the epoch is the best so far, and write weights as often as states."""
        memory = self._fast_memory()
        pending = training.average.pending
        if memory.best_is_unaveraged and not pending:
            memory.best = None  # from now on epochs are compared by their average
        memory.best_is_unaveraged = pending
        if self._improves(row, memory.best) and all_finite(training.model.parameters.vector):
            memory.best = row
            memory.keep(training.model.parameters.vector)
        if memory.weights_outdated:
            self._write_weights(training)

    def on_end(self, training: Training) -> None:
        """Write everything, unless there is no time for it."""
        if not training.aborting:
            self._write_weights(training)
            self._write_state(training)

    def _fast_memory(self) -> _Memory:
        """Return the memory by a way that takes a tenth of the time of pydantic's own."""
        memory: _Memory = (self.__pydantic_private__ or {})["_memory"]
        return memory

    @property
    def _figure(self) -> str:
        return self.monitor or "val_loss"

    def _improves(self, row: LogRow, best: LogRow | None) -> bool:
        figure = self._figure
        before = math.nan if best is None else best.get(figure, math.nan)
        if math.isnan(before) or figure not in row:
            return True  # NaN does not rank an epoch
        return improves(row[figure], before, self.mode or "min")

    def _write_weights(self, training: Training) -> None:
        memory: _Memory = self._memory
        if self._store is not None and memory.best_weights is not None and memory.unwritten:
            self._store.write_weights("best", training.model.parameters.layout.arrays(memory.best_weights.vector))
            memory.unwritten = False
        self._write("last", training)
        memory.weights_outdated = False

    def _write(self, which: str, training: Training) -> None:
        if self._store is not None and all_finite(training.model.parameters.vector):
            self._store.write_weights(which, training.model.parameters.arrays)

    def _write_state(self, training: Training) -> None:
        if self._store is not None and training.resumable and all_finite(training.average.raw):
            self._store.write_state(training.state())
