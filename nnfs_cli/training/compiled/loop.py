"""The loop of the compiled engine: chunks of steps, each chunk one call for each member."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from nnfs_cli.data.training_rows import TrainingRows
from nnfs_cli.training.compiled import steps
from nnfs_cli.training.compiled.optimizers import Numbers, optimizer_twin_of
from nnfs_cli.training.compiled.passes import Rows, record_pass, recordable
from nnfs_cli.training.compiled.program import Machine
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.step_loop import StepLoop

SECONDS = 0.05  # of a chunk, about
MOST_ROWS = 1 << 18  # of a chunk, so that the tables of its steps stay small
LR, DECAY, RATE, OWN = range(4)  # columns of the numbers of a step: learning rate, decay, rate of the average, ...


class CompiledLoop(StepLoop):
    """Steps of members, each by machine code, in threads if that pays. The bytes do not depend on the threads."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._machines: list[Machine] = []
        self._programs: dict[int, int] = {}  # by the size of the batch
        self._seconds_per_step = 0.0

    def epoch(self, rows: TrainingRows, next_stop: Callable[[], float]) -> Iterator[None]:
        """Make the remaining steps of the next epoch, and yield after each chunk of them."""
        progress = self.progress
        progress.lr = float(self.plan.lr or 0.0) if progress.lr is None else progress.lr
        if not self._machines:
            self._bind(rows)
        batches = iter(self._next_epoch())
        while chunk := [*islice(batches, self._chunk(next_stop()))]:
            self._make(chunk)
            yield

    def _chunk(self, stop: float) -> int:
        """Return the number of steps to make before anybody looks."""
        most = min(self._capacity, max(1, stop - self.progress.step))
        if self._seconds_per_step:
            most = min(most, max(1, SECONDS / self._seconds_per_step))
        return int(most)

    def _bind(self, rows: TrainingRows) -> None:
        """Make the tables that the programs refer to, and a machine for each member."""
        model, members = self.model, self.model.members
        X, y, weight = rows.arrays  # type: ignore[attr-defined]
        self._mean_weight = rows.mean_weight
        largest = max(len(np.arange(len(rows))[batch]) for batch in self.batches.epoch(1))
        self._capacity = max(1, min(self.progress.steps, MOST_ROWS // largest))
        self._order = np.zeros(self._capacity * largest, np.int64)
        self._starts = np.zeros(self._capacity + 1, np.int64)
        self._which = np.zeros(self._capacity, np.int64)
        self._twin = optimizer_twin_of(self.optimizer)
        own = self._twin.numbers(self.optimizer, {k: v.copy() for k, v in self.optimizer_state.items()}, np.ones(1))
        self._table = np.zeros((self._capacity, OWN + own.shape[1]))
        self._results = np.zeros((members, self._capacity))
        weights = None if weight is None else np.ascontiguousarray(np.broadcast_to(weight.T, (members, len(rows))))
        self._rows = [
            Rows(X, y, None if weights is None else weights[j], self._order, self._starts) for j in range(members)
        ]
        self._net = recordable(model._body)
        self._recorder = Recorder(model.dtype)
        self._machines = [Machine(model.dtype, self._which) for _ in range(members)]

    def _program(self, n: int) -> int:
        """Return the number of the program for batches of n rows."""
        if n not in self._programs:
            for j, machine in enumerate(self._machines):
                self._record(j, machine, n)
                self._programs[n] = machine.add(self._recorder.taken())
        return self._programs[n]

    def _record(self, j: int, machine: Machine, n: int) -> None:
        """Record the step of a member for batches of n rows."""
        model, recorder, layout = self.model, self._recorder, self.model.parameters.layout
        shape = (model.members, -1)
        vector, g = model.parameters.vector.reshape(shape)[j], model.gradients.vector.reshape(shape)[j]
        p_views, g_views = layout.views(vector), layout.views(g)
        record_pass(
            self._net, model, p_views, g_views, g, self._rows[j], n, self._mean_weight, machine.step,
            self._results[j], recorder,
        )  # fmt: skip
        numbers = Numbers(machine.step, self._table, self._table.shape[1])
        if self.optimizer.weight_decay:
            recorder.record(steps.decay, layout.decayed, vector, *numbers.column(DECAY))
        state = {name: array.reshape(shape)[j] for name, array in self.optimizer_state.items() if array.ndim}
        self._twin.record(self.optimizer, vector[: layout.learned], g, state, numbers.column(OWN), recorder)
        if self.average.rule is not None:
            average = self.average.buffer.reshape(shape)[j]
            recorder.record(steps.follow, vector.size, average, vector, *numbers.column(RATE))

    def _make(self, chunk: list[Any]) -> None:
        """Make the steps of these batches."""
        plan, progress, k = self.plan, self.progress, len(chunk)
        n_rows = 0
        for s, batch in enumerate(chunk):
            if isinstance(batch, slice):
                batch = np.arange(batch.start, batch.stop)
            end = n_rows + len(batch)
            self._order[n_rows:end] = batch
            self._which[s] = self._program(end - n_rows)
            self._starts[s + 1] = n_rows = end
        table, lr = self._table[:k], float(plan.lr or 0.0)
        table[:, LR] = progress.lr
        if self._varies:
            table[:, LR] = [
                lr * plan.schedule.at(step, progress.steps, progress.epochs, self.schedule_state)
                for step in range(progress.step, progress.step + k)
            ]
        table[:, DECAY] = 1 - table[:, LR] * self.optimizer.weight_decay
        rates: list[float] = []
        if self.average.rule is not None:
            rates = self.average.rates(progress.step + 1, k)
            table[:, RATE] = rates
        table[:, OWN:] = self._twin.numbers(self.optimizer, self.optimizer_state, table[:, LR])
        began = time.perf_counter()
        made = self._run(k)
        self._seconds_per_step = (time.perf_counter() - began) / k
        if made < k:
            raise self._diverged(made)
        self.average.followed(rates)
        for loss in self._results[:, :k].mean(axis=0).tolist():
            progress.loss += loss
        progress.weight += float(n_rows)
        progress.step += k
        progress.batch += k
        progress.lr = float(table[-1, LR])

    def _run(self, k: int) -> int:
        return min(machine.run(0, k) for machine in self._machines)

    def _diverged(self, made: int) -> Exception:
        raise ArithmeticError(made)
