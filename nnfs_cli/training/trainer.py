"""What training is: epochs of batches, each one a gradient and a step. All else watches."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import Any, ClassVar, Protocol

import numpy as np

from nnfs_cli.arrays import Array, weight_of
from nnfs_cli.data.training_rows import RowsInMemory, TrainingRows
from nnfs_cli.errors import DivergedError
from nnfs_cli.nn.model import Model
from nnfs_cli.system.jit import worth_compiling
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.system.wording import counted
from nnfs_cli.training.averaging import Average, Averaging
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Minimizer, Optimizer, Step, Stepper
from nnfs_cli.training.penalty import Penalties, Penalty
from nnfs_cli.training.schedules import Constant, Schedule

State = dict[str, Array]  # what it takes to go on, by name
LogRow = dict[str, float]  # one row of the epoch log: epoch, step, seconds, lr, train_loss, and what is evaluated


class StateError(ValueError):
    """What a training was to go on from is no place in it."""


class BatchOrder(Protocol):
    """Says which rows each step of an epoch sees: indices (batch,) or a slice."""

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""

    def epoch(self, epoch: int) -> Iterable[Array | slice]:
        """The batches of an epoch, counted from 1."""


class Callback:
    """What watches training. Each hook is called with the trainer, whose attributes say how far it is.

    After an epoch the model holds the weights that count, which are their average where there is one. What it has to
    remember when training is left and taken up again it gives and takes by `state` and `restore`, under its `key`.
    """

    key: ClassVar[str] = ""

    def reset(self, trainer: Trainer) -> None:
        """Nothing has been seen yet."""

    def state(self) -> State:
        """What is to be remembered: arrays by name, always of the same names, shapes and types."""
        return {}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Take `state` back."""

    def on_begin(self, trainer: Trainer) -> None:
        """Before the first step, or the next one where training is taken up again."""

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

    lr: float | None
    stopped: str  # why training has ended before its last epoch
    hurried: bool  # whether it ends without regard for what is lost
    resumable: bool  # whether `state` is one to go on from
    _interruption: BaseException | None

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
        self.penalties = Penalties(penalty or Penalty(), model.parameters.layout, model.dtype)
        self.clip, self.seed = clip, seed
        self.callbacks, self.evaluate, self.log_every = callbacks, evaluate, log_every
        self.compiles = compiles  # whether there is memory for a compiler
        self.threads = threads  # that may make a product; None leaves it as it is
        self.optimizer_state: State = {}
        self.schedule_state: dict[str, float] = {}
        self.average = Average(averaging, model.parameters.vector)
        # What optimizers step on: as one row, where it is one, since the memory of all members is.
        learned = model.parameters.learned
        self._learned = learned.reshape(-1) if learned.flags.c_contiguous else learned
        self._gradient = model.gradients.vector.reshape(-1)

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""
        return 1 if isinstance(self.optimizer, Minimizer) else -(-self.batches.steps // self.accumulate)

    def stop(self, reason: str) -> None:
        """End training after the step that is being made, as if its epoch were the last, for the first such reason.

        Between epochs it ends at once.
        """
        if self.step < self.steps * self.epochs:  # else it ends by itself
            self.stopped = self.stopped or reason
            self._leaving = True

    def interrupt(self, interruption: BaseException) -> None:
        """Leave after the step that is being made, so that `state` is one to go on from, and raise this then.

        It is raised at once where nothing is lost by it, and where it is the second one: then training ends anyhow.
        """
        self.hurried = self._interruption is not None
        self._interruption, self._leaving = interruption, True
        if self.hurried or self._looking:
            raise interruption

    def fit(self, X: Array, y: Array, epochs: int, weight: Array | None = None) -> None:
        """Train for this many epochs on X (rows, *input_shape) and y (rows, n_outputs), all of the model's dtype.

        `weight` (rows,) says how much each row counts, next to their mean: a batch of heavy rows makes a longer step.
        Of members each may count them in its own way, (rows, members).
        Raises `DivergedError` as soon as a loss or a gradient is not finite.
        """
        self.train(RowsInMemory(X, y, weight), epochs)

    def train(self, rows: TrainingRows, epochs: int, restore: Callable[[State], object] | None = None) -> None:
        """The same on rows that need not be in memory.

        To go on where another training was left, `restore` fills the arrays of a `state` with those that it had. Raises
        `StateError` when they are none of this training.
        """
        rows.check(self.model.input_shape, self.model.output_shape, self.model.dtype, self.model.members)
        self._begin(epochs)
        if restore is not None:
            state = self.state()
            restore(state)
            self._restore(state)
        self._begun = time.perf_counter() - self.seconds
        with contextlib.ExitStack() as ends:  # every callback that was begun is ended, whatever the others do
            for callback in self.callbacks:
                ends.callback(callback.on_end, self)
                callback.on_begin(self)
            ends.callback(self.average.settle)
            ends.enter_context(thread_limit(self.threads))
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows shows in the loss
                try:
                    if isinstance(self.optimizer, Minimizer):
                        self._minimize(self.optimizer, rows)
                    elif isinstance(self.optimizer, Stepper):
                        self._descend(self.optimizer, rows)
                except BaseException:
                    self.resumable = False
                    raise
        if self._interruption is not None:
            raise self._interruption

    def _begin(self, epochs: int) -> None:
        """Be where nothing has been done of so many epochs."""
        self.epochs, self.epoch, self.step, self._batch = epochs, 0, 0, 0
        self.lr = None
        self._done = 0  # epochs that have ended
        self._loss = self._weight = 0.0  # of the rows that the epoch has seen
        self.seconds, self._begun = 0.0, 0.0  # of training, and when it would have begun without a break
        self.stopped, self._interruption, self._leaving, self.hurried = "", None, False, False
        self.resumable = not isinstance(self.optimizer, Minimizer)
        self._looking = not self.resumable  # while nothing changes that a state is made of
        if isinstance(self.optimizer, Stepper):
            self.optimizer_state = self.optimizer.begin(self._learned)
        self.schedule_state = self.schedule.begin()
        self.average.begin()
        for callback in self.callbacks:
            callback.reset(self)

    def state(self) -> State:
        """All that it takes to go on from here as if nothing had been in between; the large arrays are no copies."""
        counts = {"epoch": self._done, "step": self.step, "steps": self.steps}
        self.seconds = time.perf_counter() - self._begun if self._begun else self.seconds
        figures = {"loss": self._loss, "weight": self._weight, "seconds": self.seconds, "lr": self.lr}
        state = {"weights": self.average.raw}
        state |= {name: np.array(count, np.int64) for name, count in counts.items()}
        state |= {name: np.array(math.nan if figure is None else figure) for name, figure in figures.items()}
        for part, of_part in self._parts().items():
            state |= {f"{part}.{name}": array for name, array in of_part.items()}
        return state

    def _parts(self) -> dict[str, State]:
        schedule = {name: np.array(value, np.float64) for name, value in self.schedule_state.items()}
        parts = {"optimizer": self.optimizer_state, "schedule": schedule, "average": self.average.state()}
        return parts | {callback.key: callback.state() for callback in self.callbacks if callback.key}

    def _restore(self, state: State) -> None:
        """Be where a state is of; at the beginning of the epoch, where one has another number of steps now.

        Raises `StateError` when it is of no place at all.
        """
        epoch, step, steps = (int(state[name]) for name in ("epoch", "step", "steps"))
        if not (0 <= epoch <= self.epochs and epoch * steps <= step <= (epoch + 1) * steps):
            raise StateError(f"{counted(step, 'step')} are not those of {counted(epoch, 'epoch')} of {steps}")
        for name, count in state.items():
            if (
                count.dtype.kind == "i"
                and not count.shape
                and name != "log.bytes"
                and not 0 <= count <= max(step, steps)
            ):
                raise StateError(f"{name} is {count}, after {counted(step, 'step')}")
        parts = {part: {name: state[f"{part}.{name}"] for name in of_part} for part, of_part in self._parts().items()}
        np.copyto(self.model.parameters.vector, state["weights"])
        self._done, self.epoch, self.step = epoch, epoch, step
        self._loss, self._weight, self.seconds = (float(state[name]) for name in ("loss", "weight", "seconds"))
        self.lr = None if np.isnan(state["lr"]) else float(state["lr"])
        for name, array in self.optimizer_state.items():
            np.copyto(array, parts["optimizer"][name])
        self.schedule_state = {name: float(value) for name, value in parts["schedule"].items()}
        self.average.restore(parts["average"])
        for callback in self.callbacks:
            if callback.key:
                callback.restore(parts[callback.key])
        if steps != self.steps:
            self.step, self._loss, self._weight = epoch * self.steps, 0.0, 0.0

    def _descend(self, optimizer: Stepper, rows: TrainingRows) -> None:
        parameters, gradient = self.model.parameters, self.model.gradients.vector
        stepped = gradient.reshape(self._learned.shape)
        watching = [c for c in self.callbacks if type(c).on_step is not Callback.on_step]
        lr = optimizer.default_lr if self.base_lr is None else self.base_lr
        self.lr = lr if self.lr is None else self.lr
        steps, varies = self.steps, self.schedule != Constant()
        differentiate: Callable[[TrainingRows, Any], tuple[float, float]] = self._differentiate
        if self.accumulate > 1:
            self._added = np.empty_like(gradient)
            differentiate = self._differentiate_together
        before = self.step - self._done * steps  # steps of the first epoch that were made before it was left
        while self._done < self.epochs and not (self._leaving and self._done):
            self.epoch = self._done + 1
            self._batch = before * self.accumulate
            step = self._step(optimizer)
            batches: Iterable[Any] = islice(self.batches.epoch(self.epoch), self._batch, None)
            if self.accumulate > 1:
                batches = _groups(batches, self.accumulate)
            before = 0
            for batch in batches:
                loss, weight = differentiate(rows, batch)
                self._loss += loss
                self._weight += weight
                if varies:
                    self.lr = lr * self.schedule.at(self.step, steps, self.epochs, self.schedule_state)
                if weight:  # rows that weigh nothing move nothing
                    if self.penalties:
                        self.penalties.add_gradient(parameters.learned, gradient)
                    if self.clip:
                        self.clip.apply(gradient)
                    optimizer.decay(parameters.decayed, self.lr)
                    step(self._learned, stepped, self.optimizer_state, self.lr)
                self.step += 1
                self.average.after_step(self.step)
                for callback in watching:
                    callback.on_step(self)
                if self._leaving:
                    break
            if self._interruption is None:
                self._end_epoch(self._loss / self._weight if self._weight else math.nan)
            if self._leaving:
                return

    def _step(self, optimizer: Stepper) -> Step:
        """The optimizer's step; compiled, once so many steps are done that it pays."""
        if self.compiles and self._learned.ndim == 1 and worth_compiling(self.step, self._learned.size):
            return optimizer.compiled(self.model.dtype) or optimizer.step
        return optimizer.step

    def _differentiate(self, rows: TrainingRows, batch: Array | slice) -> tuple[float, float]:
        """Leave the gradient of a batch in the model, and return the rows' total loss and weight."""
        x, y, weight = rows.take(batch)
        loss = self.model.differentiate(x, y, weight, self._draws, len(x) * rows.mean_weight)
        self._batch += 1
        square = self._gradient.dot(self._gradient)  # the quickest look at all of it, but it may overflow by itself
        if not (isfinite(loss) and (isfinite(square) or np.isfinite(self._gradient).all())):
            raise self._diverged(loss, x, y, weight, self._draws_again, len(x) * rows.mean_weight)
        return loss, len(x) if weight is None else weight_of(weight)

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

    def _draws(self) -> list[np.random.Generator]:
        """The random numbers of the batch, for each member."""
        return self._drawn(self._batch)

    def _draws_again(self) -> list[np.random.Generator]:
        """The same, of the batch that was just counted."""
        return self._drawn(self._batch - 1)

    def _drawn(self, batch: int) -> list[np.random.Generator]:
        return [random_stream(self.seed + j, "dropout", self.epoch, batch) for j in range(max(self.model.members, 1))]

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
            if not isfinite(tried[1]):
                raise self._diverged(tried[1], x, y, weight)
            np.copyto(reached, vector)
            self.epoch += 1
            self.step += 1
            self.average.after_step(self.step)
            for callback in self.callbacks:
                callback.on_step(self)
            loss_there = tried[1]
            self._end_epoch(loss_there)
            return self._leaving

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
            logged = self.epoch % self.log_every == 0 or self.epoch == self.epochs or self.stopped
            if logged and not self._log(train_loss):
                return
        self._done, self._loss, self._weight = self.epoch, 0.0, 0.0
        if self.step < self._done * self.steps:
            self.resumable = False  # a part of the epoch went for all of it

    def _log(self, train_loss: float) -> bool:
        """Log the epoch, unless the look at it is interrupted: then it has not ended yet."""
        self.seconds = time.perf_counter() - self._begun
        row = {"epoch": self.epoch, "step": self.step, "seconds": round(self.seconds, 6)}
        row |= {} if self.lr is None else {"lr": self.lr}
        looking, self._looking = self._looking, True
        try:
            row |= {"train_loss": train_loss, **self.evaluate()}
        except KeyboardInterrupt as interruption:
            if self.hurried or not self.resumable:
                raise
            self._interruption, self._leaving = interruption, True
            return False
        finally:
            self._looking = looking
        self.schedule.observe(row, self.schedule_state)
        for callback in self.callbacks:
            callback.on_log(self, row)
        return True

    def check(self, loss: float) -> None:
        """Raise `DivergedError` unless a loss of the trained net is finite."""
        if not isfinite(loss):
            raise DivergedError(
                f"training diverged: the loss of the net is {loss} in the end, {self._place}; {self._remedy}"
            )

    def _diverged(self, loss: float, *batch: Any) -> DivergedError:
        """What to raise at a batch whose loss or gradient is not finite: where that is so first, and what to do."""
        when = f"epoch {self.epoch}, batch {self._batch}" if self._batch else f"iteration {self.epoch + 1}"
        what = "the gradient is not finite" if isfinite(loss) else f"the loss is {loss}"
        first = f"the first number that is not finite is {self.model.first_infinite(*batch)}"
        return DivergedError(f"training diverged: {what} in {when}, {self._place}; {first}; {self._remedy}")

    @property
    def _place(self) -> str:
        """How far training is, and the last learning rate."""
        return f"after {counted(self.step, 'step')}" + (
            f", at lr {self.lr:g}" if self.step and self.lr is not None else ""
        )

    @property
    def _remedy(self) -> str:
        if not self.step or self.lr is None:
            return "the first weights or the inputs are too large; preprocessing and init can make them smaller"
        smaller = min((self.base_lr or self.lr) / 10, 0.1)
        return f"try a smaller lr, such as {smaller:g}{'' if self.clip else ', or clip: {norm: 1}'}"


def _groups(batches: Iterable[Array | slice], size: int) -> Iterator[list[Array | slice]]:
    """So many batches at a time; the last may be fewer."""
    remaining = iter(batches)
    while group := list(islice(remaining, size)):
        yield group
