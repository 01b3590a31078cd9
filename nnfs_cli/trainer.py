"""What training is: epochs of batches, each one a gradient and a step. All else watches."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np

from nnfs_cli.averaging import Average, Averaging
from nnfs_cli.clipping import Clip
from nnfs_cli.compiling import pays
from nnfs_cli.data.rows import Rows, TrainingRows
from nnfs_cli.errors import DivergedError, counted
from nnfs_cli.model import Model
from nnfs_cli.optimizers import Minimizer, Optimizer, Step, Stepper
from nnfs_cli.parameters import Array
from nnfs_cli.penalty import Penalties, Penalty
from nnfs_cli.schedules import Constant, Schedule
from nnfs_cli.streams import stream
from nnfs_cli.threads import limited

LogRow = dict[str, float]  # one row of the epoch log: epoch, step, seconds, lr, train_loss, and what is evaluated


class BatchOrder(Protocol):
    """Says which rows each step of an epoch sees: indices (batch,) or a slice."""

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""

    def epoch(self, epoch: int) -> Iterable[Array | slice]:
        """The batches of an epoch, counted from 1."""


class Callback:
    """What watches training. Each hook is called with the trainer, whose attributes say how far it is.

    After an epoch the model holds the weights that count, which are their average where there is one.
    """

    def on_begin(self, trainer: Trainer) -> None:
        """Before the first step."""

    def on_step(self, trainer: Trainer) -> None:
        """After every step; keep it short."""

    def on_log(self, trainer: Trainer, row: LogRow) -> None:
        """After every epoch that is logged, with its row."""

    def on_epoch(self, trainer: Trainer) -> None:
        """After every epoch."""

    def on_end(self, trainer: Trainer) -> None:
        """After the last epoch, also when training is interrupted or diverges."""


class Trainer:
    """Trains a model, by the steps of an optimizer on batches, or by a minimizer on all rows at once.

    Before a step the gradients of `accumulate` batches are put together as if they were one batch, penalties are added,
    the gradient is clipped, and weights decay. `lr` is the optimizer's default unless given, and is multiplied with
    what the schedule says. `evaluate` is called when an epoch is logged and gives more columns for its row. While `fit`
    runs, `epoch` and `step` count from 1, and `lr` is the rate of the last step.
    """

    def __init__(
        self,
        model: Model,
        optimizer: Optimizer,
        lr: float | None,
        batches: BatchOrder,
        *,
        schedule: Schedule | None = None,
        penalty: Penalty | None = None,
        clip: Clip | None = None,
        accumulate: int = 1,
        averaging: Averaging | None = None,
        seed: int = 0,
        callbacks: Sequence[Callback] = (),
        evaluate: Callable[[], LogRow] = dict,
        log_every: int = 1,
        compiles: bool = True,
        threads: int | None = None,
    ) -> None:
        self.model, self.optimizer, self.batches, self.accumulate = model, optimizer, batches, accumulate
        self.base_lr, self.schedule = lr, schedule or Constant()
        self.lr: float | None = None
        self.penalties = Penalties(penalty or Penalty(), model.parameters.layout, model.dtype)
        self.clip, self.seed = clip, seed
        self.callbacks, self.evaluate, self.log_every = callbacks, evaluate, log_every
        self.compiles = compiles  # whether there is memory for a compiler
        self.threads = threads  # that may make a product; None leaves it as it is
        self.epoch = self.step = self.epochs = self._batch = 0
        self.seconds = 0.0
        self.stopped = ""  # why training has ended before its last epoch
        self.state: dict[str, Array] = {}  # the optimizer's memory
        self.schedule_state: dict[str, float] = {}
        self.average = Average(averaging, model.parameters.vector)

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""
        return 1 if isinstance(self.optimizer, Minimizer) else -(-self.batches.steps // self.accumulate)

    def stop(self, reason: str) -> None:
        """End training after the step that is being made, as if its epoch were the last, for the first such reason."""
        if self.step < self.steps * self.epochs:  # else it ends by itself
            self.stopped = self.stopped or reason

    def fit(self, X: Array, y: Array, epochs: int, weight: Array | None = None) -> None:
        """Train for this many epochs on X (rows, *input_shape) and y (rows, n_outputs), all of the model's dtype.

        `weight` (rows,) says how much each row counts, next to their mean: a batch of heavy rows makes a longer step.
        Raises `DivergedError` as soon as a loss is not finite.
        """
        self.train(Rows(X, y, weight), epochs)

    def train(self, rows: TrainingRows, epochs: int) -> None:
        """The same on rows that need not be in memory."""
        rows.check(self.model.input_shape, self.model.output_shape, self.model.dtype)
        self.epochs, self.epoch, self.step, self.stopped = epochs, 0, 0, ""
        self.schedule_state = self.schedule.begin()
        self.average.begin()
        self._begun = time.perf_counter()
        with contextlib.ExitStack() as ends:  # every callback that was begun is ended, whatever the others do
            for callback in self.callbacks:
                ends.callback(callback.on_end, self)
                callback.on_begin(self)
            ends.callback(self.average.settle)
            ends.enter_context(limited(self.threads))
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows shows in the loss
                if isinstance(self.optimizer, Minimizer):
                    self._minimize(self.optimizer, rows)
                elif isinstance(self.optimizer, Stepper):
                    self._descend(self.optimizer, rows)

    def _descend(self, optimizer: Stepper, rows: TrainingRows) -> None:
        parameters, gradient = self.model.parameters, self.model.gradients.vector
        watching = [c for c in self.callbacks if type(c).on_step is not Callback.on_step]
        self.state = optimizer.begin(parameters.learned)
        lr = self.lr = optimizer.default_lr if self.base_lr is None else self.base_lr
        steps, varies = self.steps, self.schedule != Constant()
        differentiate: Callable[[TrainingRows, Any], tuple[float, float]] = self._differentiate
        if self.accumulate > 1:
            self._added = np.empty_like(gradient)
            differentiate = self._differentiate_together
        for epoch in range(1, self.epochs + 1):
            self.epoch, self._batch = epoch, 0
            step = self._step(optimizer)
            batches: Iterable[Any] = self.batches.epoch(epoch)
            if self.accumulate > 1:
                batches = _groups(batches, self.accumulate)
            total = seen = 0.0
            for batch in batches:
                loss, weight = differentiate(rows, batch)
                total += loss
                seen += weight
                if varies:
                    self.lr = lr * self.schedule.at(self.step, steps, self.epochs, self.schedule_state)
                if weight:  # rows that weigh nothing move nothing
                    if self.penalties:
                        self.penalties.add_gradient(parameters.learned, gradient)
                    if self.clip:
                        self.clip.apply(gradient)
                    optimizer.decay(parameters.decayed, self.lr)
                    step(parameters.learned, gradient, self.state, self.lr)
                self.step += 1
                self.average.after_step(self.step)
                for callback in watching:
                    callback.on_step(self)
                if self.stopped:
                    break
            self._end_epoch(total / seen if seen else math.nan)
            if self.stopped:
                return

    def _step(self, optimizer: Stepper) -> Step:
        """The optimizer's step; compiled, once so many steps are done that it pays."""
        if self.compiles and pays(self.step, self.model.n_parameters):
            return optimizer.compiled(self.model.dtype) or optimizer.step
        return optimizer.step

    def _differentiate(self, rows: TrainingRows, batch: Array | slice) -> tuple[float, float]:
        """Leave the gradient of a batch in the model, and return the rows' total loss and weight."""
        x, y, weight = rows.take(batch)
        loss = self.model.differentiate(x, y, weight, self._draws, len(x) * rows.mean_weight)
        self._batch += 1
        self.check(loss)
        return loss, len(x) if weight is None else float(np.add.reduce(weight))

    def _differentiate_together(self, rows: TrainingRows, group: Sequence[Array | slice]) -> tuple[float, float]:
        """The same for several batches, as if they were one."""
        gradient, mean = self.model.gradients.vector, self.model.loss.reduction == "mean"
        added, total, whole, n_rows = self._added, 0.0, 0.0, 0
        added[...] = 0
        for batch in group:
            loss, weight = self._differentiate(rows, batch)
            n = batch.stop - batch.start if isinstance(batch, slice) else len(batch)
            np.add(added, np.multiply(gradient, n if mean else 1, out=gradient), out=added)
            total += loss
            whole += weight
            n_rows += n
        np.multiply(added, 1 / n_rows if mean else 1, out=gradient)
        return total, whole

    def _draws(self) -> np.random.Generator:
        """The random numbers of the batch."""
        return stream(self.seed, "dropout", self.epoch, self._batch)

    def _minimize(self, optimizer: Minimizer, rows: TrainingRows) -> None:
        """An epoch is an iteration: one look at all rows, or a few."""
        model, learned, vector = self.model, self.model.parameters.learned, self.model.parameters.vector
        x, y, weight = rows.take(slice(None))
        whole = float(len(x)) if weight is None else float(np.add.reduce(weight)) or 1.0
        start, reached = learned.astype(np.float64), vector.copy()
        tried = start, math.nan  # where the loss was last looked at, and what it was
        loss_there = math.nan  # where was reached

        def objective(w: Array, g: Array) -> float:
            nonlocal tried
            np.copyto(vector, reached)  # what is not learned is as it was, wherever else was looked at
            np.copyto(learned, w, casting="same_kind")
            loss = model.differentiate(x, y, weight) / whole
            tried = w.copy(), loss
            value = loss * whole * model.loss.row_weight(whole)
            if self.penalties:
                self.penalties.add_gradient(learned, model.gradients.vector)
                value += self.penalties.value(learned)
            np.copyto(g, model.gradients.vector)
            return value

        def watch(w: Array) -> bool:
            nonlocal loss_there
            if math.isnan(tried[1]) or not np.array_equal(w, tried[0]):
                objective(w, np.empty(learned.size))
            self.check(tried[1])
            np.copyto(reached, vector)
            self.epoch += 1
            self.step += 1
            self.average.after_step(self.step)
            for callback in self.callbacks:
                callback.on_step(self)
            loss_there = tried[1]
            self._end_epoch(loss_there)
            return bool(self.stopped)

        try:
            converged = optimizer.minimize(objective, start, self.epochs, watch)
        finally:
            np.copyto(vector, reached)  # not where it last tried to go
        if self.epoch == 0:  # there was no way down
            watch(start)
        if self.epoch < self.epochs and not self.stopped:
            self.stop(f"{optimizer.name} {'has converged' if converged else 'finds no way further down'}")
            if self.epoch % self.log_every:  # then it has no row yet
                with self.average.in_place():
                    self._log(loss_there)

    def _end_epoch(self, train_loss: float) -> None:
        self.average.after_epoch(self.epoch, self.epochs)
        with self.average.in_place():
            for callback in self.callbacks:
                callback.on_epoch(self)
            if self.epoch % self.log_every == 0 or self.epoch == self.epochs or self.stopped:
                self._log(train_loss)

    def _log(self, train_loss: float) -> None:
        self.seconds = time.perf_counter() - self._begun
        row = {"epoch": self.epoch, "step": self.step, "seconds": round(self.seconds, 6)}
        row |= {} if self.lr is None else {"lr": self.lr}
        row |= {"train_loss": train_loss, **self.evaluate()}
        self.schedule.observe(row, self.schedule_state)
        for callback in self.callbacks:
            callback.on_log(self, row)

    def check(self, loss: float) -> None:
        """Raise `DivergedError` unless a loss is finite."""
        if math.isfinite(loss):
            return
        where = f"the loss is {loss} in epoch {self.epoch}, after {counted(self.step, 'step')}"
        advice = "the first weights or the inputs are too large; preprocessing and init can make them smaller"
        if self.step and self.lr is not None:
            smaller = min((self.base_lr or self.lr) / 10, 0.1)
            where, advice = f"{where}, at lr {self.lr:g}", f"try a smaller lr, such as {smaller:g}"
        raise DivergedError(f"training diverged: {where}; {advice}")


def _groups(batches: Iterable[Array | slice], size: int) -> Iterator[list[Array | slice]]:
    """So many batches at a time; the last may be fewer."""
    remaining = iter(batches)
    while group := list(islice(remaining, size)):
        yield group
