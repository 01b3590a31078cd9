"""The loop of the compiled engine: chunks of steps, each chunk one call for each member."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.training_rows import TrainingRows
from nnfs_cli.system.helpers import do_together
from nnfs_cli.system.random import member_seeds
from nnfs_cli.system.threads import allowed_threads
from nnfs_cli.training.compiled import gradient, steps
from nnfs_cli.training.compiled.chunk import Chunk, Kind, Steps
from nnfs_cli.training.compiled.evaluation import Evaluator
from nnfs_cli.training.compiled.optimizers import Numbers, optimizer_twin_of
from nnfs_cli.training.compiled.order import order_of
from nnfs_cli.training.compiled.passes import record_pass, recordable
from nnfs_cli.training.compiled.program import Machine
from nnfs_cli.training.compiled.random_numbers import Stream
from nnfs_cli.training.compiled.recorder import Recorder, aligned
from nnfs_cli.training.compiled.team import MOST_THREADS
from nnfs_cli.training.divergence import diverged
from nnfs_cli.training.step_loop import StepLoop

SECONDS = 0.05  # of a chunk, about
GROWTH = 8  # from one chunk to the next, at most: the first steps tell how long the others take
WORTH_THREADS = 3e-4  # seconds of a chunk
LR, DECAY, RATE, OWN = range(4)  # columns of a step's numbers: learning rate, decay, rate of the average, optimizer's


class CompiledLoop(StepLoop):
    """Steps by machine code, a chunk of them for each member, in threads if that pays.

    Neither the number of threads nor the lengths of the chunks change a byte.
    """

    _chunk: Chunk  # and what follows are made before the first step, when the rows are known
    _machines: list[Machine]

    def __init__(self, *arguments: Any, compiling: Callable[[int], None]) -> None:
        super().__init__(*arguments)
        self._compiling = compiling
        self._twin = optimizer_twin_of(self.optimizer)
        self._bound = self._constant = False
        self._programs: dict[Kind, int] = {}  # the number of the program for each kind of batch
        self._most = 1.0  # steps in the next chunk
        self._seconds_per_step = 0.0  # 0 before the first one

    def epoch(self, rows: TrainingRows, next_stop: Callable[[], float]) -> Iterator[None]:
        """Make the remaining steps of the next epoch, and yield after each chunk of them."""
        progress = self.progress
        progress.lr = float(self.plan.lr or 0.0) if progress.lr is None else progress.lr
        if not self._bound:
            self._bind(rows)
        self._begin_epoch()
        order, bounds = self._order(progress.epoch), self._bounds[progress.batch :]
        while len(bounds) > 1:
            end = self._length(next_stop()) * self.plan.accumulate
            self._make(rows, order, bounds[: end + 1])
            bounds = bounds[end:]
            yield

    def close(self) -> None:
        """Free all memory that only the steps need."""
        if self._bound:
            self._bound = self._constant = False
            self._programs.clear()
            self.model.evaluator = None
            del (
                self._chunk,
                self._net,
                self._recorders,
                self._sums,
                self._machines,
                self._streams,
                self._copies,
                self._order,
            )

    def _length(self, stop: float) -> int:
        """Return the number of steps to make before anybody looks."""
        most = min(self._most, self._chunk.capacity // self.plan.accumulate, stop - self.progress.step)
        return int(max(1, most))

    # Programs

    def _bind(self, rows: TrainingRows) -> None:
        """Make the tables that the programs refer to, and a machine for each member."""
        model = self.model
        trial = {name: array.copy() for name, array in self.optimizer_state.items() if not array.ndim}
        columns = OWN + self._twin.numbers(self.optimizer, trial, np.ones(1)).shape[1]
        accumulate = self.plan.accumulate
        self._chunk = Chunk(model, rows, self.progress.steps * accumulate, self.batches.largest, columns, accumulate)
        self._bounds = np.array(self.batches.bounds)
        self._order = order_of(self.batches, self._compiling)
        self._mean_weight = rows.mean_weight
        self._net = recordable(model.body)
        lanes = min(model.members, allowed_threads())
        threads = min(allowed_threads(), MOST_THREADS) if model.members == 1 else 1  # for each step
        self._recorders = [Recorder(model.dtype, threads=threads) for _ in range(lanes)]  # members share its buffers
        n_sums = model.gradients.vector.shape[-1] if accumulate > 1 else 0
        self._sums = [aligned((n_sums,), model.dtype) for _ in range(lanes)]
        self._machines = [Machine(model.dtype, self._chunk.which, self._compiling) for _ in range(model.members)]
        seeds = member_seeds(model.members, self.plan.edition, self.plan.seed)
        self._streams = [
            Stream(seed, "dropout", member, machine.step)
            for (seed, member), machine in zip(seeds, self._machines, strict=True)
        ]
        self._copies = [(array, array.copy()) for array in self._changing() if model.members > 1 or not array.ndim]
        model.evaluator = Evaluator(model)
        if not trial and not self._varies and self.average.rule is None:  # all steps have the same numbers
            every = np.arange(self._chunk.capacity)
            self._fill_numbers(Steps(every, every, np.ones(len(every))))
            self._constant = True
        self._bound = True

    def _changing(self) -> list[Array]:
        """Return the arrays that a step changes."""
        averages = [] if self.average.rule is None else [self.average.buffer]
        return [self.model.parameters.vector, *averages, *self.optimizer_state.values()]

    def _program(self, kind: Kind) -> int:
        """Return the number of the program for batches of a kind."""
        if kind not in self._programs:
            for j, machine in enumerate(self._machines):
                lane = j % len(self._recorders)
                recorder = self._recorders[lane]
                recorder.stream = self._streams[j]
                g = self._of_member(j, self.model.gradients.vector)
                self._record_gradient(j, g, self._sums[lane], kind, recorder)
                if kind.last:
                    self._record_step(j, g, kind.moves, recorder)
                self._programs[kind] = machine.add(recorder.taken())
        return self._programs[kind]

    def _record_gradient(self, j: int, g: Array, added: Array, kind: Kind, recorder: Recorder) -> None:
        """Record the pass of a member on a batch, and the sum of the gradients of a step with several batches."""
        model, chunk, layout = self.model, self._chunk, self.model.parameters.layout
        views = layout.views(self._of_member(j, model.parameters.vector)), layout.views(g)
        weight_of_step = kind.rows_of_step * self._mean_weight
        record_pass(
            self._net, model, views, g, chunk.rows[j], kind.rows, weight_of_step, self._machines[j].step,
            chunk.losses[j], recorder,
        )  # fmt: skip
        if not kind.last:
            recorder.record(gradient.copy if kind.first else gradient.add, g.size, added, g, each=1)
        elif not kind.first:
            recorder.record(gradient.add, g.size, g, added, each=1)

    def _record_step(self, j: int, g: Array, moves: bool, recorder: Recorder) -> None:
        """Record what a member does with the gradient of a step."""
        plan, optimizer, layout = self.plan, self.optimizer, self.model.parameters.layout
        vector, numbers = self._of_member(j, self.model.parameters.vector), self._chunk.numbers
        w, where = vector[: layout.learned], Numbers(self._machines[j].step, numbers, numbers.shape[1])
        if moves:
            gradient.record_penalty(self._penalties, w, g, recorder)
            if plan.clip:
                gradient.record_clip(plan.clip, g, recorder)
            if optimizer.weight_decay:
                recorder.record(steps.decay, layout.decayed, vector, *where.column(DECAY))
            state = {name: self._of_member(j, array) for name, array in self.optimizer_state.items() if array.ndim}
            self._twin.record(optimizer, w, g, state, where.column(OWN), recorder)
        if self.average.rule is not None:
            average = self._of_member(j, self.average.buffer)
            recorder.record(steps.follow, vector.size, average, vector, *where.column(RATE))

    def _of_member(self, j: int, array: Array) -> Array:
        """Return a member's part of an array with numbers of all members."""
        part: Array = array.reshape(self.model.members, -1)[j]
        if part.size and not np.may_share_memory(part, array):
            raise ValueError(f"an array of shape {array.shape} cannot be divided among members without a copy")
        return part

    # Steps

    def _make(self, rows: TrainingRows, order: Array, bounds: Array) -> None:
        """Make steps of some batches, see `Chunk.fill`. Raises `DivergedError` if a loss or gradient is not finite."""
        k = len(bounds) - 1
        chosen = self._chunk.fill(order, bounds, self._program)
        rates = self._prepare(chosen)
        passes = self._time(k, len(chosen.last))
        made = len(chosen.last) if passes == k else int((chosen.last < passes).sum())
        if passes < k:
            self._make_again(chosen, made)
        self._count(chosen, made, passes, k)
        self.average.followed(rates[:made])
        if passes < k:
            self._differentiate(rows, order[bounds[passes] : bounds[passes + 1]])  # finds out where, and raises
            loss, progress = float(self._chunk.losses[:, passes].mean()), self.progress
            where = f"epoch {progress.epoch}, batch {progress.batch}"
            raise diverged(where, loss, "in the loss", self.plan, progress)

    def _prepare(self, chosen: Steps) -> list[float]:
        """Make everything ready for the next steps, and return the rates of the average."""
        for machine in self._machines:
            machine.prepare()
        for array, copy in self._copies:
            np.copyto(copy, array)
        for stream in self._streams:
            stream.begin(self.progress.epoch, self.progress.batch)
        return self._fill_numbers(chosen)

    def _time(self, k: int, steps: int) -> int:
        """Make the passes of some steps, and decide how many steps the next chunk may have."""
        began = time.perf_counter()
        passes = self._run(k)
        self._seconds_per_step = (time.perf_counter() - began) / steps
        self._most = min(GROWTH * self._most, SECONDS / self._seconds_per_step)
        return passes

    def _make_again(self, chosen: Steps, made: int) -> None:
        """Go back to before the chunk, and make the steps that all members can make: some have made more."""
        for array, copy in self._copies:
            np.copyto(array, copy)
        self._fill_numbers(Steps(chosen.which, chosen.last[:made], chosen.weights[:made]))  # counts them in the state
        if len(self._machines) > 1 and made:
            self._run(int(chosen.last[made - 1]) + 1)

    def _count(self, chosen: Steps, made: int, passes: int, k: int) -> None:
        """Count the steps and passes that were made in a chunk of k passes, with their losses."""
        chunk, progress, last = self._chunk, self.progress, chosen.last
        losses = chunk.losses[0, :k] if len(chunk.losses) == 1 else chunk.losses[:, :k].mean(axis=0)
        if self.plan.accumulate > 1:
            losses = np.add.reduceat(losses, [0, *(last[:-1] + 1)])
        for loss, weight in zip(losses[:made].tolist(), chosen.weights.tolist(), strict=False):
            progress.loss += loss
            progress.weight += weight
        progress.step += made
        progress.batch += passes
        if made:
            progress.lr = float(chunk.numbers[last[made - 1], LR])

    def _fill_numbers(self, chosen: Steps) -> list[float]:
        """Write the numbers of the next steps for their last batches, and return the rates of the average."""
        if self._constant:
            return []
        plan, progress, numbers = self.plan, self.progress, self._chunk.numbers
        n, last = len(chosen.last), chosen.last
        lr = np.full(n, progress.lr)
        if self._varies:
            where = progress.steps, progress.epochs, self.schedule_state
            factors = [plan.schedule.at(step, *where) for step in range(progress.step, progress.step + n)]
            lr = float(plan.lr or 0.0) * np.array(factors)
        numbers[last, LR] = lr
        if self.optimizer.weight_decay:
            numbers[last, DECAY] = 1 - lr * self.optimizer.weight_decay
        rates: list[float] = []
        if self.average.rule is not None:
            numbers[last, RATE] = rates = self.average.rates(progress.step + 1, n)
        moves = chosen.weights > 0
        if not moves.all():
            lr, last = lr[moves], last[moves]
        numbers[last, OWN:] = self._twin.numbers(self.optimizer, self.optimizer_state, lr)
        return rates

    def _run(self, k: int) -> int:
        """Let every member make k steps, and return the least number that one could make."""
        lanes = len(self._recorders)
        if lanes == 1 or 0 < self._seconds_per_step * k < WORTH_THREADS:
            helpers = self._recorders[0].threads - 1
            return min([machine.run(0, k, helpers) for machine in self._machines])
        made = [k] * len(self._machines)

        def run(lane: int) -> None:
            for j in range(lane, len(self._machines), lanes):
                made[j] = self._machines[j].run(0, k)

        do_together([partial(run, lane) for lane in range(lanes)])
        return min(made)
