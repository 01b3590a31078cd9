"""Training by steps: each step follows the gradient of a batch, or of several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite
from typing import Any, Protocol

import numpy as np

from nnfs_cli.arrays import Array, total_weight
from nnfs_cli.data.training_rows import TrainingRows
from nnfs_cli.nn.model import Model
from nnfs_cli.system.random import member_streams
from nnfs_cli.training.averaging import Average
from nnfs_cli.training.divergence import diverged
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import Progress
from nnfs_cli.training.schedules import Constant


class BatchOrder(Protocol):
    """The order in which an epoch sees the rows."""

    @property
    def steps(self) -> int:
        """The number of batches in an epoch."""

    @property
    def largest(self) -> int:
        """The most rows that a batch can have."""

    @property
    def bounds(self) -> list[int]:
        """Where each batch begins in the order of an epoch, and where the last one ends."""

    def order(self, epoch: int) -> Array:
        """Return the rows of all batches of an epoch, counted from 1, one after another."""

    def epoch(self, epoch: int) -> Iterable[Array | slice]:
        """Return the batches of an epoch, counted from 1: indices (batch,) or a slice for each."""


class StepLoop:
    """The steps of an optimizer, with the memory that the optimizer and the schedule need from step to step."""

    def __init__(
        self, model: Model, optimizer: Stepper, plan: Plan, batches: BatchOrder, progress: Progress, average: Average
    ) -> None:
        self.model, self.optimizer, self.plan = model, optimizer, plan
        self.batches, self.progress, self.average = batches, progress, average
        learned = model.parameters.learned
        # Optimizers step on one flat vector where the memory of all members is contiguous.
        self.learned = learned.reshape(-1) if learned.flags.c_contiguous else learned
        self._gradient = model.gradients.vector.reshape(-1)
        self.optimizer_state = optimizer.begin(self.learned)
        self.schedule_state = plan.schedule.begin()
        self._varies = plan.schedule != Constant()
        self._penalties = plan.penalty.begin(model.parameters)
        self._sum = np.empty_like(model.gradients.vector if plan.accumulate > 1 else np.empty(0))

    def epoch(self, rows: TrainingRows, next_stop: Callable[[], float]) -> Iterator[None]:
        """Make the remaining steps of the next epoch, and yield now and then: at the latest after step `next_stop()`.

        Steps count from 1 over all epochs. This loop yields after each step.
        """
        plan, progress, optimizer, parameters = self.plan, self.progress, self.optimizer, self.model.parameters
        gradient = self.model.gradients.vector
        stepped = gradient.reshape(self.learned.shape)
        lr = float(plan.lr or 0.0)
        progress.lr = lr if progress.lr is None else progress.lr
        steps, varies = progress.steps, self._varies
        differentiate: Callable[[TrainingRows, Any], tuple[float, float]] = self._differentiate
        if plan.accumulate > 1:
            differentiate = self._accumulate
        for batch in self._next_epoch():
            loss, weight = differentiate(rows, batch)
            progress.loss += loss
            progress.weight += weight
            if varies:
                progress.lr = lr * plan.schedule.at(progress.step, steps, progress.epochs, self.schedule_state)
            if weight:  # rows of weight 0 change nothing
                if self._penalties:
                    plan.penalty.add_gradient(parameters.learned, gradient, self._penalties)
                if plan.clip:
                    plan.clip.apply(gradient)
                optimizer.decay(parameters.decayed, progress.lr)
                optimizer.step(self.learned, stepped, self.optimizer_state, progress.lr)
            progress.step += 1
            self.average.after_step(progress.step)
            yield

    def close(self) -> None:
        """End whatever the steps have started."""

    def _next_epoch(self) -> Iterable[Any]:
        """Return the remaining batches of the next epoch, in groups if several make a step."""
        progress, accumulate = self.progress, self.plan.accumulate
        self._begin_epoch()
        batches = islice(self.batches.epoch(progress.epoch), progress.batch, None)
        return batches if accumulate == 1 else _groups(batches, accumulate)

    def _begin_epoch(self) -> None:
        """Count the epoch that is next, and its batches before an interruption."""
        progress = self.progress
        done = progress.step - progress.finished * progress.steps
        progress.epoch = progress.finished + 1
        progress.batch = done * self.plan.accumulate

    def _differentiate(self, rows: TrainingRows, batch: Array | slice) -> tuple[float, float]:
        """Write the gradient of a batch into the model, and return the total loss and weight of its rows."""
        x, y, weight = rows.take(batch)
        mean_total = len(x) * rows.mean_weight
        loss = self.model.differentiate(x, y, weight, self._draws, mean_total)
        square = self._gradient.dot(self._gradient)  # the fastest test of all entries, but it may overflow
        if not (isfinite(loss) and (isfinite(square) or np.isfinite(self._gradient).all())):
            where = f"epoch {self.progress.epoch}, batch {self.progress.batch + 1}"
            first = self.model.first_not_finite(x, y, weight, self._draws, mean_total)
            raise diverged(where, loss, first, self.plan, self.progress)
        self.progress.batch += 1
        return loss, len(x) if weight is None else total_weight(weight)

    def _accumulate(self, rows: TrainingRows, group: Sequence[Array | slice]) -> tuple[float, float]:
        """Write the gradient of several batches into the model, as if they were one batch."""
        gradient, added = self.model.gradients.vector, self._sum
        mean = self.model.loss.reduction == "mean"
        total, weights, n_rows = 0.0, 0.0, 0
        added[...] = 0
        for batch in group:
            loss, weight = self._differentiate(rows, batch)
            n = batch.stop - batch.start if isinstance(batch, slice) else len(batch)
            np.add(added, np.multiply(gradient, n if mean else 1, out=gradient), out=added)
            total += loss
            weights += weight
            n_rows += n
        np.multiply(added, 1 / n_rows if mean else 1, out=gradient)
        return total, weights

    def _draws(self) -> list[np.random.Generator]:
        """Return a random stream for the current batch for each member."""
        first = self.model.first_member
        members, plan, progress = range(first, first + self.model.members), self.plan, self.progress
        return member_streams(members, plan.edition, plan.seed, "dropout", progress.epoch, progress.batch)


def _groups(batches: Iterable[Array | slice], size: int) -> Iterator[list[Array | slice]]:
    """Yield the batches in groups of `size`; the last group may be smaller."""
    remaining = iter(batches)
    while group := list(islice(remaining, size)):
        yield group
