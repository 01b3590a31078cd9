"""Training an ensemble in several processes, where that pays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nnfs_cli.data.batches import Batches
from nnfs_cli.data.training_rows import RowsInMemory, TrainingRows
from nnfs_cli.nn.model import Model
from nnfs_cli.system.threads import allowed_threads
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.step_loop import StepLoop

if TYPE_CHECKING:
    from nnfs_cli.training.crew import Crew

LONG = 0.5  # processor seconds; a shorter training does not repay the start of processes
SAMPLE = 0.05  # processor seconds of training that are measured first
CHUNK, SHORT = 0.1, 0.002  # processor seconds from one meeting of the processes to the next, and too few for a meeting
MOST_BYTES = 1 << 24  # of the parameters of all members, which are in memory a second time


class SharedLoop(StepLoop):
    """The steps of an ensemble, made by one process until they are known to take long, and then by several.

    The first steps that several processes make are also made by this one alone. If one byte differs, which a component
    of the user's own may cause, this process goes on alone. It also does when another process is lost. So neither the
    number of processes nor their fate changes a result.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._crew: Crew | None = None
        self._proven = self._refused = False
        self._seconds, self._steps = 0.0, -1  # of the steps made alone, without the first, which makes all buffers
        self._per_step = 0.0  # seconds

    def epoch(self, rows: TrainingRows, next_stop: Callable[[], float]) -> Iterator[None]:
        """Make the remaining steps of the next epoch, and yield now and then: at the latest after step `next_stop()`.

        Steps count from 1 over all epochs.
        """
        progress = self.progress
        end = (progress.finished + 1) * progress.steps
        alone: Iterator[None] | None = None  # goes on where the training is
        while True:
            n = self._to_share(rows, int(min(end, next_stop())) - progress.step)
            if n and self._crew is not None and self._proven and self._make_together(self._crew, n):
                alone = None
                yield
                if progress.step == end:
                    return
                continue
            alone = alone or super().epoch(rows, next_stop)
            if n and self._crew is not None:
                self._prove(self._crew, n, alone)
            elif not self._make_alone(alone):
                return
            yield

    def close(self) -> None:
        """End the other processes."""
        if self._crew is not None:
            self._crew.end()
            self._crew = None

    def _make_alone(self, steps: Iterator[None]) -> bool:
        """Make a step, and return whether there was one to make."""
        began = time.thread_time()
        made = next(steps, self) is not self
        if self._steps >= 0:
            self._seconds += time.thread_time() - began
        self._steps += 1
        return made

    def _to_share(self, rows: TrainingRows, left: int) -> int:
        """Return how many of the steps that are left until the next stop several processes should make; 0 for none."""
        if self._crew is None and not self._refused and self._pays():
            self._start(rows)
        if self._crew is None:
            return 0
        n = min(left, self._crew.most_steps, int(CHUNK / self._per_step) or 1)
        return n if n * self._per_step > SHORT else 0

    def _pays(self) -> bool:
        """Return whether the rest of the training is known to take long enough."""
        progress = self.progress
        left = progress.epochs * progress.steps - progress.step
        return self._seconds > SAMPLE and self._seconds * left > LONG * self._steps

    def _start(self, rows: TrainingRows) -> None:
        """Start the other processes, if that is possible."""
        self._refused = True
        processes = min(allowed_threads(), self.model.members)
        if processes < 2 or not isinstance(rows, RowsInMemory) or not isinstance(self.batches, Batches):
            return
        from nnfs_cli.system.forked import can_fork
        from nnfs_cli.training.crew import Crew
        from nnfs_cli.training.share import NotShareableError

        if not can_fork():
            return
        try:
            self._crew = Crew(self, rows, processes)
        except (OSError, NotShareableError):
            return
        self._refused, self._per_step = False, self._seconds / self._steps / processes

    def _prove(self, crew: Crew, n: int, alone: Iterator[None]) -> None:
        """Make n steps both ways, and note whether all bytes are equal."""
        order = crew.begin(n)
        for _ in range(n):
            next(alone)
        self._proven = order is not None and crew.finish(order) == self.progress and crew.agrees()
        if self._proven:
            self.model.end_training()  # its buffers are those of all members
        else:
            self._give_up()

    def _make_together(self, crew: Crew, n: int) -> bool:
        """Make n steps, and return whether all went well. If not, the training is where it was."""
        began, order = time.thread_time(), crew.begin(n)
        progress = None if order is None else crew.finish(order)
        if progress is None:
            self._give_up()
            return False
        crew.hand_over()
        self.progress.go_to(progress)
        self._per_step = (self._per_step + (time.thread_time() - began) / n) / 2
        return True

    def _give_up(self) -> None:
        self.close()
        self._refused = True


def may_share(model: Model, plan: Plan) -> bool:
    """Return whether several processes might train an ensemble."""
    return model.members > 1 and plan.threads != 1 and model.parameters.vector.nbytes <= MOST_BYTES
