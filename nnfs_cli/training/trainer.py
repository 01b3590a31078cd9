"""The trainer: it runs the loop, ends epochs, logs them, and can save and restore everything in between."""

from __future__ import annotations

import contextlib
import math
import weakref
from collections.abc import Callable, Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.training_rows import RowsInMemory, TrainingRows
from nnfs_cli.nn.model import Model
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.training.averaging import Average
from nnfs_cli.training.callbacks.base import Callback
from nnfs_cli.training.divergence import require_finite
from nnfs_cli.training.engine import loop_for
from nnfs_cli.training.interruption import Ending
from nnfs_cli.training.minimizer_loop import MinimizerLoop
from nnfs_cli.training.optimizers import Minimizer, Stepper
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import LogRow, Progress, State
from nnfs_cli.training.step_loop import BatchOrder, StepLoop


class Trainer:
    """Train a model as a plan says: in a step for each batch, or by a minimizer on all rows at once.

    `evaluate` is called when an epoch is logged, and returns more figures for its row of the log. During training,
    `progress` says how far it is, and `average` holds the average of the weights, if the plan asks for one.
    """

    def __init__(
        self,
        model: Model,
        batches: BatchOrder,
        plan: Plan,
        callbacks: Sequence[Callback] = (),
        evaluate: Callable[[], LogRow] = dict,
    ) -> None:
        self.model, self.batches, self.plan = model, batches, plan
        self.callbacks, self.evaluate = callbacks, evaluate
        self.average = Average(plan.averaging, model.parameters.vector)
        self.progress = Progress(0, self.steps)
        self.resumable = False  # whether training can resume from `state`
        self._ending = Ending(at_once=False)
        self._loop: StepLoop | None = None  # None for a minimizer
        self._remembering = _by_key(callbacks)

    @property
    def steps(self) -> int:
        """The number of steps in an epoch."""
        one = isinstance(self.plan.optimizer, Minimizer)
        return 1 if one else -(-self.batches.steps // self.plan.accumulate)

    @property
    def optimizer_state(self) -> State:
        """The optimizer's memory, by name; empty for a minimizer."""
        return self._loop.optimizer_state if self._loop else {}

    @property
    def stopped(self) -> str:
        """The reason why training ended before its last epoch; empty if it did not."""
        return self._ending.stopped

    @property
    def aborting(self) -> bool:
        """Whether training ends at once, so that there is no time to write anything."""
        return self._ending.aborting

    def stop(self, reason: str = "a callback stopped it") -> None:
        """End training after the current step, as if its epoch were the last; between epochs, end it at once.

        Only the first reason counts. After the last step this has no effect.
        """
        if not self.progress.complete:
            self._ending.stop(reason)

    def interrupt(self, interruption: BaseException) -> None:
        """End training after the current step, so that it can resume from `state`, and then raise `interruption`.

        It is raised at once if nothing is lost by that, or if this is the second interruption.
        """
        self._ending.interrupt(interruption)

    def require_finite(self, loss: float) -> None:
        """Raise `DivergedError` unless the loss of the trained net is finite."""
        require_finite(loss, self.plan, self.progress)

    def fit(self, X: Array, y: Array, epochs: int, weight: Array | None = None) -> None:
        """Train on X (rows, *input_shape) and y (rows, n_outputs), both of the model's dtype.

        `weight` (rows,) says how much each row counts, relative to the mean weight: a batch of heavy rows makes a
        longer step. For an ensemble it may be (rows, members). Raises `DivergedError` as soon as a loss or a gradient
        is not finite, and `ValueError` for arrays of another shape or dtype.
        """
        self.train(RowsInMemory(X, y, weight), epochs)

    def train(self, rows: TrainingRows, epochs: int, restore: Callable[[State], object] | None = None) -> None:
        """Train on rows that need not be in memory.

        To resume, `restore` fills the arrays of a new `state` with the saved ones. Raises `StateError` if they do not
        fit this training, and the errors of `fit`.
        """
        rows.check(self.model.input_shape, self.model.output_shape, self.model.dtype, self.model.members)
        self._begin(epochs)
        self.progress.rows = len(rows)
        if restore is not None:
            state = self.state()
            restore(state)
            self._restore(state)
        self.progress.start_clock()
        with contextlib.ExitStack() as ends:  # every callback that began is ended, whatever the others do
            for callback in self.callbacks:
                ends.callback(callback.on_end, self)
                callback.on_begin(self)
            ends.callback(self.average.settle)
            ends.enter_context(thread_limit(self.plan.threads))
            if self._loop:
                ends.callback(self._loop.close)
            with np.errstate(over="ignore", invalid="ignore"):  # an overflow shows in the loss
                try:
                    self._run(rows)
                except BaseException:
                    self.resumable = False
                    raise
        if self._ending.interruption is not None:
            raise self._ending.interruption

    def state(self) -> State:
        """Return everything needed to continue from here exactly, by name. Large arrays are not copied."""
        state = {"weights": self.average.raw} | self.progress.state()
        for owner, arrays in self._memories().items():
            state |= {f"{owner}.{name}": array for name, array in arrays.items()}
        return state

    def _begin(self, epochs: int) -> None:
        """Set everything to the start of a training of this many epochs."""
        optimizer = self.plan.optimizer
        self.progress = Progress(epochs, self.steps)
        self.resumable = isinstance(optimizer, Stepper)
        self._ending = Ending(at_once=not self.resumable)
        if isinstance(optimizer, Stepper):
            me = weakref.proxy(self)  # without a circle the memory of the loop is free as soon as nobody needs it
            self._loop = loop_for(
                self.model, optimizer, self.plan, self.batches, self.progress, self.average,
                compiling=lambda kernels: me._compiling(kernels),
            )  # fmt: skip
        self.average.begin()
        for callback in self.callbacks:
            callback.reset(self)

    def _compiling(self, kernels: int) -> None:
        for callback in self.callbacks:
            callback.on_compile(self, kernels)

    def _memories(self) -> dict[str, State]:
        """Return the memory of the optimizer, the schedule, the average and the callbacks, by their names."""
        schedule = self._loop.schedule_state if self._loop else {}
        memories = {
            "optimizer": self.optimizer_state,
            "schedule": {name: np.array(value, np.float64) for name, value in schedule.items()},
            "average": self.average.state(),
        }
        return memories | {key: callback.state() for key, callback in self._remembering.items()}

    def _restore(self, state: State) -> None:
        """Restore a saved state, or raise `StateError`."""
        self.progress.check(state)
        memories = {
            owner: {name: state[f"{owner}.{name}"] for name in names} for owner, names in self._memories().items()
        }
        np.copyto(self.model.parameters.vector, state["weights"])
        self.progress.restore(state)
        for name, array in self.optimizer_state.items():
            np.copyto(array, memories["optimizer"][name])
        if self._loop:
            self._loop.schedule_state = {name: float(value) for name, value in memories["schedule"].items()}
        self.average.restore(memories["average"])
        for key, callback in self._remembering.items():
            callback.restore(memories[key])

    def _run(self, rows: TrainingRows) -> None:
        if self._loop is not None:
            self._make_steps(self._loop, rows)
        elif isinstance(self.plan.optimizer, Minimizer):
            self._minimize(self.plan.optimizer, rows)

    def _make_steps(self, loop: StepLoop, rows: TrainingRows) -> None:
        progress, ending = self.progress, self._ending
        watching = [callback for callback in self.callbacks if type(callback).on_step is not Callback.on_step]

        def next_stop() -> float:
            return min((callback.next_stop(self) for callback in watching), default=math.inf)

        while progress.finished < progress.epochs and not (ending.requested and progress.finished):
            for _ in loop.epoch(rows, next_stop):
                for callback in watching:
                    callback.on_step(self)
                if ending.requested:
                    break
            if ending.interruption is None:
                self._end_epoch(progress.mean_loss)
            if ending.requested:
                return

    def _minimize(self, optimizer: Minimizer, rows: TrainingRows) -> None:
        progress = self.progress

        def after_iteration(loss: float) -> bool:
            self.average.after_step(progress.step)
            for callback in self.callbacks:
                callback.on_step(self)
            self._end_epoch(loss)
            return self._ending.requested

        loop = MinimizerLoop(self.model, self.plan, rows, progress, after_iteration)
        converged = loop.run(optimizer)
        if progress.epoch < progress.epochs and not self.stopped:
            self.stop(f"{optimizer.name} {'has converged' if converged else 'finds no way further down'}")
            if progress.epoch % self.plan.log_every:  # then the last epoch is not logged yet
                with self.average.in_place():
                    self._log(loop.loss)

    def _end_epoch(self, train_loss: float) -> None:
        progress = self.progress
        self.average.after_epoch(progress.epoch, progress.epochs)
        with self.average.in_place():
            for callback in self.callbacks:
                callback.on_epoch(self)
            last = progress.epoch == progress.epochs or self.stopped
            if (last or progress.epoch % self.plan.log_every == 0) and not self._log(train_loss):
                return
        progress.end_epoch()
        if progress.step < progress.finished * progress.steps:
            self.resumable = False  # the epoch ended before all its steps were made

    def _log(self, train_loss: float) -> bool:
        """Evaluate and log the epoch, and return whether the evaluation was completed."""
        progress = self.progress
        row = {"epoch": progress.epoch, "step": progress.step, "seconds": round(progress.seconds, 6)}
        row |= {} if progress.lr is None else {"lr": progress.lr}
        figures = self._ending.attempt(self.evaluate, self.resumable)
        if figures is None:
            return False
        row |= {"train_loss": train_loss, **figures}
        if self._loop:
            self.plan.schedule.observe(row, self._loop.schedule_state)
        for callback in self.callbacks:
            callback.on_log(self, row)
        return True


def _by_key(callbacks: Sequence[Callback]) -> dict[str, Callback]:
    """Return the callbacks that have a key, by key; if several share a key, a number is added to the later ones."""
    found: dict[str, Callback] = {}
    for callback in callbacks:
        if callback.key:
            key, n = callback.key, 1
            while key in found:
                n += 1
                key = f"{callback.key}-{n}"
            found[key] = callback
    return found
