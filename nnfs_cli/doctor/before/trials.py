"""Short trainings of copies of a net, which show what the settings of its training do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.training_rows import RowsInMemory
from nnfs_cli.errors import DivergedError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.nn.model import Model
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.system.random import random_stream
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.optimizers import Minimizer
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.schedules import Constant
from nnfs_cli.training.trainer import Trainer

WORK = 1_500_000_000  # multiplications of the forward passes of one trial
OVERHEAD = 200_000  # what else a step costs, as a number of multiplications
FEWEST, MOST = 30, 2_000  # steps of a trial
HALVINGS = 5  # of the steps, after each of which a trial is scored
FEWEST_ROWS = 50  # rows that a trial is not trained on, below which they say too little
EVALUATED = 1_000  # rows of each kind that a trial is scored on


@dataclass(frozen=True)
class Trial:
    """The losses of a net at its best in some steps: on rows that it was trained on, and on others.

    Both are infinite if training diverged at once; the second is the first if there are too few other rows. `last` is
    the loss on the rows that it was trained on after all steps, and infinite if training diverged.
    """

    train: float
    held_out: float
    last: float


class Trials:
    """Short trainings of copies of a net with the settings of its config, but with random streams of their own.

    They have a constant learning rate and no averaging. How many steps they take depends on the net and the batch
    alone, so that the same config always gets the same diagnoses.
    """

    def __init__(
        self, experiment: Experiment, net: Callable[[], Model], train: EncodedRows, held_out: EncodedRows
    ) -> None:
        self._experiment, self._net = experiment, net
        self._train, self._held_out = train, held_out
        self._seed = int(random_stream(experiment.config.seed, "doctor", 1).integers(2**32))

    @cached_property
    def steps(self) -> int:
        """The number of steps of a trial; 0 if the net is too large, or has no steps because a minimizer trains it."""
        if isinstance(self._experiment.config.optimizer, Minimizer):
            return 0
        one = OVERHEAD + self.batch * self._parameters * self._experiment.config.accumulate
        steps = min(WORK // one, MOST)
        return steps if steps >= FEWEST else 0

    def affords(self, rows: int, steps: int) -> bool:
        """Return whether steps on so many rows take no longer than a trial may."""
        return steps * (OVERHEAD + rows * self._parameters) <= WORK

    @property
    def _parameters(self) -> int:
        return self._experiment.predictor.model.n_parameters // self._experiment.config.members

    @property
    def planned(self) -> int:
        """The number of steps that the config plans."""
        config = self._experiment.config
        return -(-self._experiment.batches.steps // config.accumulate) * config.epochs

    @cached_property
    def lr(self) -> float:
        """The mean learning rate of the planned steps; a schedule that watches figures counts as constant."""
        config = self._experiment.config
        state, schedule = config.schedule.begin(), config.schedule
        steps = -(-self._experiment.batches.steps // config.accumulate)
        at = np.unique(np.linspace(0, self.planned - 1, 200).astype(np.int64)).tolist()
        factors = [schedule.at(step, steps, config.epochs, state) for step in at]
        return float(config.lr or 0.0) * float(np.mean(factors))

    def run(self, lr: float, steps: int, **changes: Any) -> Trial:
        """Train a copy with a learning rate for some steps, and return how it does at its best.

        It is scored a few times, and the best score counts, as the best epoch of a training does. `changes` replace
        fields of the plan.
        """
        model = self._net()
        marks = sorted({max(1, steps >> halvings) for halvings in range(HALVINGS)})
        watcher = _Marks(marks, lambda: self._score(model))
        trainer = self._trainer(model, [watcher], lr=lr, schedule=Constant(), averaging=None, **changes)
        finite = self._train_for(trainer, marks[-1], self._train)
        best = min(watcher.found, key=lambda trial: trial.held_out, default=Trial(np.inf, np.inf, np.inf))
        return replace(best, last=watcher.found[-1].last if finite and watcher.found else np.inf)

    def losses(self, schedule: Any, lr: float, steps: int) -> Array:
        """Train a copy by a schedule, and return the mean loss of each batch, (steps or less,), until it diverges."""
        model, watcher = self._net(), _BatchLosses()
        trainer = self._trainer(model, [watcher], lr=lr, schedule=schedule, averaging=None)
        self._train_for(trainer, steps, self._train)
        return np.array(watcher.losses)

    def overfit(self, rows: EncodedRows, lr: float, steps: int) -> float:
        """Train a copy on some rows alone, all in each batch, by adam without a penalty; return their loss."""
        model = self._net()
        return _loss(model, rows) if self._fit(model, rows, lr, steps) else np.inf

    def weights_after(self, rows: EncodedRows, steps: int) -> dict[str, Array]:
        """Return the parameters by name after some steps of adam on some rows, all in each batch."""
        model = self._net()
        self._fit(model, rows, 0.01, steps)
        return model.parameters.arrays

    def _fit(self, model: Model, rows: EncodedRows, lr: float, steps: int) -> bool:
        plan = Plan(Adam(), lr, seed=self._seed, engine="numpy", threads=1)
        return self._train_for(Trainer(model, Batches(len(rows), len(rows)), plan), steps, rows)

    def _train_for(self, trainer: Trainer, steps: int, rows: EncodedRows) -> bool:
        """Train for at least this many steps, and return whether the loss stayed finite."""
        try:
            trainer.train(RowsInMemory(*rows.arrays), -(-steps // trainer.steps))
        except DivergedError:
            return False
        return True

    @property
    def batch(self) -> int:
        """The number of rows of a batch."""
        return min(self._experiment.batches.size, len(self._train))

    def _trainer(self, model: Model, callbacks: Sequence[Callback], **changes: Any) -> Trainer:
        batches = self._experiment.batches
        drawn = Batches(
            len(self._train), self.batch, batches.shuffle, batches.replacement, batches.drop_last, self._seed,
            batches.smallest,
        )  # fmt: skip
        plan = replace(self._experiment.plan, seed=self._seed, engine="numpy", log_every=10**9, **changes)
        return Trainer(model, drawn, plan, callbacks)

    def _score(self, model: Model) -> Trial:
        train = _loss(model, self._train)
        return Trial(train, _loss(model, self._held_out) if len(self._held_out) >= FEWEST_ROWS else train, train)


def _loss(model: Model, rows: EncodedRows) -> float:
    some = rows.take(np.arange(min(len(rows), EVALUATED)))
    loss, _ = model.evaluate(*some.arrays)
    return float(loss) if np.isfinite(loss) else np.inf


class _Marks(Callback):
    """Score the net after some numbers of steps, and stop after the last."""

    def __init__(self, marks: Sequence[int], score: Callable[[], Trial]) -> None:
        self.marks, self.score = marks, score
        self.found: list[Trial] = []

    def on_step(self, training: Training) -> None:
        if training.progress.step >= self.marks[len(self.found)]:
            self.found.append(self.score())
            if len(self.found) == len(self.marks):
                training.stop("the trial is over")


class _BatchLosses(Callback):
    """Record the mean loss of each batch."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self._before = (0.0, 0.0)

    def on_step(self, training: Training) -> None:
        loss, weight = training.progress.loss, training.progress.weight
        before = self._before if weight > self._before[1] else (0.0, 0.0)  # an epoch begins at 0
        self.losses.append((loss - before[0]) / (weight - before[1] or 1.0))
        self._before = (loss, weight)
