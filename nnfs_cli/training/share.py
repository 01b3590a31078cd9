"""The share of an ensemble's training that one process makes: the steps of some members, in memory that all share."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from nnfs_cli.arrays import Array, total_weight
from nnfs_cli.data.training_rows import TrainingRows
from nnfs_cli.system.shared_memory import shared_zeros
from nnfs_cli.training.step_loop import StepLoop

MOST_LOSSES = 1 << 20  # losses of rows that are kept between two meetings, unless one step has more


class NotShareableError(Exception):
    """An optimizer whose memory does not belong to single parameters."""


@dataclass(frozen=True)
class Order:
    """What each process must know to make the next steps, besides the shared memory."""

    steps: int  # to make
    finished: int  # epochs that have ended
    step: int  # steps that have been made in all epochs
    lr: float | None  # of the last step
    schedule: dict[str, float]  # the memory of the schedule
    averaged: bool  # whether the average of the weights has begun
    epoch: int  # the last epoch that was averaged


class SharedState:
    """The state of a training in shared memory: weights, the average, the optimizer's memory, and losses of rows.

    `losses` has a line for each batch of a few steps, for all members and rows of the batch. Raises `OSError` without
    enough memory, and `NotShareableError`.
    """

    def __init__(self, loop: StepLoop) -> None:
        weights, dtype = loop.model.parameters.vector, loop.model.dtype
        self.weights = shared_zeros(weights.shape, dtype)
        self.average = None if loop.average.rule is None else shared_zeros(weights.shape, dtype)
        self.memory: dict[str, Array] = {}
        for name, array in loop.optimizer_state.items():
            if array.size > 1 and array.shape != loop.learned.shape:
                raise NotShareableError(f"{name} is {array.shape}")
            self.memory[name] = shared_zeros(array.shape, array.dtype)
        line = loop.model.members * loop.batches.largest
        self.steps = max(1, MOST_LOSSES // (line * loop.plan.accumulate))  # the most between two meetings
        self.losses = shared_zeros((self.steps * loop.plan.accumulate, line), dtype)

    def copy_from(self, loop: StepLoop) -> None:
        """Take over the state of a training."""
        np.copyto(self.weights, loop.model.parameters.vector)
        if self.average is not None:
            np.copyto(self.average, loop.average.state()["vector"])
        for name, array in loop.optimizer_state.items():
            np.copyto(self.memory[name], array)


class Share(StepLoop):
    """The steps of some members of an ensemble, to the bytes that all members together would have.

    The losses of the rows are written down for whoever adds them up over all members, and `batches_seen` has the step,
    the number of rows and the weights (rows,) or (rows, members) of each batch.
    """

    def __init__(self, whole: StepLoop, rows: TrainingRows, members: range, state: SharedState) -> None:
        own = slice(members.start, members.stop)
        self._members, self._all, self._rows, self._losses = own, whole.model.members, rows, state.losses
        average = whole.average.over(state.weights[own], None if state.average is None else state.average[own])
        model = whole.model.share(members, state.weights[own])
        super().__init__(model, whole.optimizer, whole.plan, whole.batches, replace(whole.progress), average)
        self._shared = state.memory
        for name, array in state.memory.items():
            if array.size > 1:
                parts = array.reshape(self._all, -1)[own]
                self.optimizer_state[name] = parts.reshape(self.learned.shape)
        self._steps: Iterator[None] = iter(())
        self.batches_seen: list[tuple[int, int, Array | None]] = []

    def make(self, order: Order) -> None:
        """Make some steps, all in one epoch."""
        progress, self.schedule_state = self.progress, order.schedule
        for name, array in self._shared.items():
            if array.size <= 1:  # every process has its own
                np.copyto(self.optimizer_state[name], array)
        if self.average.rule is not None:
            begun = {"begun": np.array(order.averaged), "epoch": np.array(order.epoch)}
            self.average.restore({**self.average.state(), **begun})
        if (order.finished, order.step) != (progress.finished, progress.step):
            progress.finished, progress.step = order.finished, order.step
            self._steps = iter(())
        progress.lr = order.lr
        self.batches_seen.clear()
        for _ in range(order.steps):
            if next(self._steps, self) is self:
                self._steps = self.epoch(self._rows, lambda: math.inf)
                next(self._steps)

    def _differentiate(self, rows: TrainingRows, batch: Array | slice) -> tuple[float, float]:
        x, y, weight = rows.take(batch)
        n, by_member = len(x), weight is not None and weight.ndim > 1
        own = weight[:, self._members] if weight is not None and by_member else weight
        losses = self.model.differentiate_rows(x, y, own, self._draws, n * rows.mean_weight)
        line = self._losses[len(self.batches_seen), : self._all * n].reshape(self._all, n)
        np.copyto(line[self._members], losses)
        if not (isfinite(self._gradient.dot(self._gradient)) or np.isfinite(self._gradient).all()):
            raise FloatingPointError("a gradient is not finite")
        self.batches_seen.append((self.progress.step, n, None if weight is None else weight.copy()))
        self.progress.batch += 1
        return 0.0, n if weight is None else total_weight(weight)
