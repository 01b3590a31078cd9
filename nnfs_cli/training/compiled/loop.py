"""The loop of the compiled engine: chunks of steps, each chunk one call for each member."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.training_rows import TrainingRows
from nnfs_cli.system.helpers import do_together
from nnfs_cli.system.threads import allowed_threads
from nnfs_cli.training.compiled import steps
from nnfs_cli.training.compiled.chunk import Chunk
from nnfs_cli.training.compiled.optimizers import Numbers, optimizer_twin_of
from nnfs_cli.training.compiled.passes import record_pass, recordable
from nnfs_cli.training.compiled.program import Machine
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.divergence import diverged
from nnfs_cli.training.step_loop import StepLoop

SECONDS = 0.05  # of a chunk, about
WORTH_THREADS = 3e-4  # seconds of a chunk
LR, DECAY, RATE, OWN = range(4)  # columns of a step's numbers: learning rate, decay, rate of the average, optimizer's


class CompiledLoop(StepLoop):
    """Steps by machine code, a chunk of them for each member, in threads if that pays.

    Neither the number of threads nor the lengths of the chunks change a byte.
    """

    _chunk: Chunk  # and what follows are made before the first step, when the rows are known
    _machines: list[Machine]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._twin = optimizer_twin_of(self.optimizer)
        self._bound = False
        self._programs: dict[int, int] = {}  # the number of the program for each size of a batch
        self._seconds_per_step = 0.0

    def epoch(self, rows: TrainingRows, next_stop: Callable[[], float]) -> Iterator[None]:
        """Make the remaining steps of the next epoch, and yield after each chunk of them."""
        progress = self.progress
        progress.lr = float(self.plan.lr or 0.0) if progress.lr is None else progress.lr
        if not self._bound:
            self._bind(rows)
        batches = iter(self._next_epoch())
        while some := [*islice(batches, self._length(next_stop()))]:
            self._make(rows, some)
            yield

    def _length(self, stop: float) -> int:
        """Return the number of steps to make before anybody looks."""
        most = min(self._chunk.capacity, max(1, stop - self.progress.step))
        if self._seconds_per_step:
            most = min(most, max(1, SECONDS / self._seconds_per_step))
        return int(most)

    # Programs

    def _bind(self, rows: TrainingRows) -> None:
        """Make the tables that the programs refer to, and a machine for each member."""
        model = self.model
        trial = {name: array.copy() for name, array in self.optimizer_state.items()}
        columns = OWN + self._twin.numbers(self.optimizer, trial, np.ones(1)).shape[1]
        self._chunk = Chunk(model, rows, self.progress.steps, self.batches.largest, columns)
        self._mean_weight = rows.mean_weight
        self._net = recordable(model.body)
        lanes = min(model.members, allowed_threads())
        self._recorders = [Recorder(model.dtype) for _ in range(lanes)]  # members of the same one share buffers
        self._machines = [Machine(model.dtype, self._chunk.which, self.compiling) for _ in range(model.members)]
        self._copies = [(array, array.copy()) for array in self._changing()] if model.members > 1 else []
        self._bound = True

    def _changing(self) -> list[Array]:
        """Return the arrays that a step changes."""
        averages = [] if self.average.rule is None else [self.average.buffer]
        return [self.model.parameters.vector, *averages, *self.optimizer_state.values()]

    def _program(self, n: int) -> int:
        """Return the number of the program for batches of n rows."""
        if n not in self._programs:
            for j, machine in enumerate(self._machines):
                recorder = self._recorders[j % len(self._recorders)]
                self._record(j, machine, recorder, n)
                self._programs[n] = machine.add(recorder.taken())
        return self._programs[n]

    def _record(self, j: int, machine: Machine, recorder: Recorder, n: int) -> None:
        """Record the step of a member on a batch of n rows."""
        model, chunk, layout = self.model, self._chunk, self.model.parameters.layout
        vector, g = self._of_member(j, model.parameters.vector), self._of_member(j, model.gradients.vector)
        views = layout.views(vector), layout.views(g)
        record_pass(
            self._net, model, views, g, chunk.rows[j], n, self._mean_weight, machine.step, chunk.losses[j], recorder
        )
        numbers = Numbers(machine.step, chunk.numbers, chunk.numbers.shape[1])
        if self.optimizer.weight_decay:
            recorder.record(steps.decay, layout.decayed, vector, *numbers.column(DECAY))
        state = {name: self._of_member(j, array) for name, array in self.optimizer_state.items() if array.ndim}
        self._twin.record(self.optimizer, vector[: layout.learned], g, state, numbers.column(OWN), recorder)
        if self.average.rule is not None:
            average = self._of_member(j, self.average.buffer)
            recorder.record(steps.follow, vector.size, average, vector, *numbers.column(RATE))

    def _of_member(self, j: int, array: Array) -> Array:
        """Return a member's part of an array with numbers of all members."""
        part: Array = array.reshape(self.model.members, -1)[j]
        return part

    # Steps

    def _make(self, rows: TrainingRows, batches: Sequence[Array | slice]) -> None:
        """Make the steps of these batches. Raises `DivergedError` if a loss or a gradient is not finite."""
        chunk, progress, k = self._chunk, self.progress, len(batches)
        sizes, weights = chunk.fill(batches)
        chunk.which[:k] = [self._program(n) for n in sizes]
        rates = self._fill_numbers(k)
        for array, copy in self._copies:
            np.copyto(copy, array)
        began = time.perf_counter()
        made = self._run(k)
        self._seconds_per_step = (time.perf_counter() - began) / k
        if made < k:
            for array, copy in self._copies:  # some members have made more steps than this
                np.copyto(array, copy)
            if self._copies:
                self._run(made)
        self.average.followed(rates[:made])
        for loss, weight in zip(chunk.losses[:, :made].mean(axis=0).tolist(), weights, strict=False):
            progress.loss += loss
            progress.weight += weight
        progress.step += made
        progress.batch += made
        if made:
            progress.lr = float(chunk.numbers[made - 1, LR])
        if made < k:
            self._differentiate(rows, batches[made])  # finds out where, and raises an error
            where = f"epoch {progress.epoch}, batch {progress.batch}"
            raise diverged(where, float(chunk.losses[:, made].mean()), "in the loss", self.plan, progress)

    def _fill_numbers(self, k: int) -> list[float]:
        """Write the numbers of the next k steps, and return the rates of the average."""
        plan, progress, numbers = self.plan, self.progress, self._chunk.numbers[:k]
        numbers[:, LR] = progress.lr
        if self._varies:
            lr = float(plan.lr or 0.0)
            where = progress.steps, progress.epochs, self.schedule_state
            numbers[:, LR] = [lr * plan.schedule.at(progress.step + s, *where) for s in range(k)]
        numbers[:, DECAY] = 1 - numbers[:, LR] * self.optimizer.weight_decay
        rates = self.average.rates(progress.step + 1, k)
        numbers[:, RATE] = rates
        numbers[:, OWN:] = self._twin.numbers(self.optimizer, self.optimizer_state, numbers[:, LR])
        return rates

    def _run(self, k: int) -> int:
        """Let every member make k steps, and return the least number that one could make."""
        lanes = len(self._recorders)
        if lanes == 1 or self._seconds_per_step * k < WORTH_THREADS:
            return min([machine.run(0, k) for machine in self._machines])
        made = [k] * len(self._machines)

        def run(lane: int) -> None:
            for j in range(lane, len(self._machines), lanes):
                made[j] = self._machines[j].run(0, k)

        do_together([partial(run, lane) for lane in range(lanes)])
        return min(made)
