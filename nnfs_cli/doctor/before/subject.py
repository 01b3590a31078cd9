"""What the checks before training look at: the config, its data and its net, and measurements that several share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.doctor.before.range_test import RangeTest, range_test
from nnfs_cli.doctor.before.start import Start, observe_start
from nnfs_cli.doctor.before.trials import Trial, Trials
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.experiment.read_data import LoadedData
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.inspection.findings import find
from nnfs_cli.inspection.inspected_rows import InspectedRows
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.one_net import one_net
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.system.random import random_stream
from nnfs_cli.workflows.verdicts.losses import best_constant

MOST_ROWS, MOST_NUMBERS = 5_000, 5_000_000  # training rows that are looked at, and inputs in them
SAMPLE = 256  # rows of a single pass
LEARNS = 0.1  # share of what a perfect net gains over the best constant that counts as learning
LESS = 0.5  # share of the gain of another training below which one is far worse
HELD_OUT = 0.2  # share of these rows that trial trainings do not see


@dataclass(frozen=True)
class Subject:
    """A config with its data and its net, before training. Measurements are made when a check first asks for them.

    Trainings are tried with copies of the net, of which there is one also for an ensemble; the net of the experiment
    stays as it is.
    """

    config: Config
    loaded: LoadedData
    experiment: Experiment

    @cached_property
    def findings(self) -> list[Finding]:
        """The findings about the data, as `nnfs check` lists them."""
        return find(self.config, self.loaded, self.experiment, InspectedRows.of(self.loaded))

    @cached_property
    def rows(self) -> EncodedRows:
        """Training rows in a random order: at most 5,000, and fewer of wide tables, but at least those of a pass."""
        train = self.experiment.splits["train"]
        most = min(MOST_ROWS, max(SAMPLE, MOST_NUMBERS // train.X.shape[1]))
        return train.take(random_stream(self.config.seed, "doctor").permutation(len(train))[:most])

    @cached_property
    def sample(self) -> EncodedRows:
        """The first of these rows, enough for a single pass."""
        return self.rows.take(np.arange(min(len(self.rows), SAMPLE)))

    def net(self, dtype: Any = None) -> Model:
        """Return a single net with the initial weights of the config; of an ensemble, those of its first member."""
        return one_net(self.experiment.predictor.model, dtype=dtype)

    @cached_property
    def start(self) -> Start:
        """What the layers of the net do in the first pass."""
        return observe_start(self.net(), self.sample)

    @cached_property
    def trials(self) -> Trials:
        """Short trainings of copies of the net."""
        n = round(HELD_OUT * len(self.rows))
        order = np.arange(len(self.rows))
        return Trials(self.experiment, self.net, self.rows.take(order[n:]), self.rows.take(order[:n]))

    @cached_property
    def range_test(self) -> RangeTest | None:
        """How the loss moves while the learning rate grows; None if no steps can be tried."""
        config = self.config
        return range_test(self.trials, float(config.lr or 1.0), config.optimizer.default_lr or 1.0)

    def constant_loss(self, rows: EncodedRows) -> float:
        """Return the loss of the best constant outputs for some rows."""
        loss = self.config.loss
        outputs = np.broadcast_to(best_constant(loss, rows.y, rows.weight), rows.y.shape)
        return mean_loss(loss.of_rows(outputs, rows.y), rows.weight)

    def least_loss(self, rows: EncodedRows) -> float:
        """Return the loss of outputs that equal the targets of some rows."""
        return mean_loss(self.config.loss.of_rows(rows.y, rows.y), rows.weight)

    def diverges(self, here: Trial, there: Trial) -> bool:
        """Return whether one trial ends further above the best constant than another one gets below it.

        The other trial must learn something.
        """
        constant = self.constant_loss(self.rows)
        gain = constant - there.held_out
        return gain > LEARNS * (constant - self.least_loss(self.rows)) and here.last - constant > gain

    def gains_less(self, here: Trial, there: Trial) -> bool:
        """Return whether one trial gains less than half of what another does, against the best constant.

        The other trial must learn something.
        """
        constant, floor = self.constant_loss(self.rows), self.least_loss(self.rows)
        gain = constant - there.held_out
        return gain > LEARNS * (constant - floor) and constant - here.held_out < LESS * gain


def mean_loss(losses: Array, weight: Array | None) -> float:
    """Return the mean of the losses of rows (rows,), weighted if there are weights."""
    return float(np.average(losses, weights=weight))
