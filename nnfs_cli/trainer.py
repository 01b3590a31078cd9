"""What training is: epochs of batches, each one a gradient and a step. All else watches."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from nnfs_cli.errors import DivergedError, counted
from nnfs_cli.model import Model
from nnfs_cli.optimizers import Optimizer
from nnfs_cli.parameters import Array

LogRow = dict[str, float]  # one row of the epoch log: epoch, step, seconds, lr, train_loss, and what is evaluated


class BatchOrder(Protocol):
    """Says which rows each step of an epoch sees: indices (batch,) or a slice."""

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""

    def epoch(self, epoch: int) -> Iterable[Array | slice]:
        """The batches of an epoch, counted from 1."""


class Callback:
    """What watches training. Each hook is called with the trainer, whose attributes say how far it is."""

    def on_begin(self, trainer: Trainer) -> None:
        """Before the first step."""

    def on_step(self, trainer: Trainer) -> None:
        """After every step; keep it short."""

    def on_epoch(self, trainer: Trainer, row: LogRow) -> None:
        """After every epoch that is logged, with its row."""

    def on_end(self, trainer: Trainer) -> None:
        """After the last epoch, also when training is interrupted or diverges."""


class Trainer:
    """Trains a model on arrays X (rows, *input_shape) and y (rows, n_outputs), both of the model's dtype.

    `evaluate` is called when an epoch is logged and gives more columns for its row. While `fit` runs, `epoch` and
    `step` count from 1 and `lr` is the rate of the current step.
    """

    def __init__(
        self,
        model: Model,
        optimizer: Optimizer,
        lr: float,
        batches: BatchOrder,
        callbacks: Sequence[Callback] = (),
        evaluate: Callable[[], LogRow] = dict,
        log_every: int = 1,
    ) -> None:
        self.model, self.optimizer, self.lr, self.batches = model, optimizer, lr, batches
        self.callbacks, self.evaluate, self.log_every = callbacks, evaluate, log_every
        self.epoch = self.step = self.epochs = 0
        self.seconds = 0.0
        self.state: dict[str, Array] = {}  # the optimizer's memory
        self._buffers: dict[int, tuple[Array, Array]] = {}  # for batches, by their size

    def fit(self, X: Array, y: Array, epochs: int) -> None:
        """Train for this many epochs. Raises `DivergedError` as soon as a loss is not finite."""
        for name, array, shape in (("X", X, self.model.input_shape), ("y", y, self.model.output_shape)):
            if array.shape != (len(X), *shape) or array.dtype != self.model.dtype:
                expected = f"{self.model.dtype} {(len(X), *shape)}"
                raise ValueError(f"{name} should be {expected}, found {array.dtype} {array.shape}")
        self.epochs, self.step = epochs, 0
        self.state = self.optimizer.begin(self.model.parameters.vector)
        begun = time.perf_counter()
        with contextlib.ExitStack() as ends:  # every callback that was begun is ended, whatever the others do
            for callback in reversed(self.callbacks):
                ends.callback(callback.on_end, self)
                callback.on_begin(self)
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows shows in the loss
                for self.epoch in range(1, epochs + 1):
                    train_loss = self._train_epoch(X, y)
                    self.seconds = time.perf_counter() - begun
                    if self.epoch % self.log_every == 0 or self.epoch == epochs:
                        row = {"epoch": self.epoch, "step": self.step, "seconds": round(self.seconds, 6), "lr": self.lr}
                        row |= {"train_loss": train_loss, **self.evaluate()}
                        for callback in self.callbacks:
                            callback.on_epoch(self, row)

    def _train_epoch(self, X: Array, y: Array) -> float:
        """Step through one epoch and return the mean loss of its rows, each as it was when its batch was seen."""
        model, parameters, gradient = self.model, self.model.parameters.vector, self.model.gradients.vector
        watching = [c for c in self.callbacks if type(c).on_step is not Callback.on_step]
        total, seen = 0.0, 0
        for rows in self.batches.epoch(self.epoch):
            x_batch, y_batch = self._gather(X, y, rows)
            loss = model.differentiate(x_batch, y_batch)
            self.check(loss)
            self.optimizer.step(parameters, gradient, self.state, self.lr)
            self.step += 1
            total += loss
            seen += len(x_batch)
            for callback in watching:
                callback.on_step(self)
        return total / seen

    def check(self, loss: float) -> None:
        """Raise `DivergedError` unless a loss is finite."""
        if not math.isfinite(loss):
            raise DivergedError(
                f"training diverged: the loss is {loss} in epoch {self.epoch}, after {counted(self.step, 'step')},"
                f" at lr {self.lr:g}; try a smaller lr, such as {min(self.lr / 10, 0.1):g}"
            )

    def _gather(self, X: Array, y: Array, rows: Array | slice) -> tuple[Array, Array]:
        """The rows of a batch, copied into buffers that every batch of this size shares."""
        if isinstance(rows, slice):
            return X[rows], y[rows]
        n = len(rows)
        if n not in self._buffers:
            self._buffers[n] = (np.empty((n, *X.shape[1:]), X.dtype), np.empty((n, *y.shape[1:]), y.dtype))
        x_batch, y_batch = self._buffers[n]
        # mode="clip" lets take write straight into the buffer; the indices are in range.
        return X.take(rows, 0, x_batch, "clip"), y.take(rows, 0, y_batch, "clip")
