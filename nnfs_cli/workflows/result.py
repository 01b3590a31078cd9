"""The result of a training in memory: what a run directory holds, as one value that can be copied and pickled."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.split import SPLITS
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.prediction.one_row import OneRow
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.records import ConfusionTable
from nnfs_cli.system.warn import warn
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow
from nnfs_cli.workflows.fit import Outcome, fit
from nnfs_cli.workflows.load_run import calibration_of, config_of, restore
from nnfs_cli.workflows.train import record_beginning, record_outcome
from nnfs_cli.workflows.verdicts import Verdict, judge, recorded_verdict


@dataclass(frozen=True)
class TrainingResult:
    """A trained net with its config, log and figures, but without the rows.

    `data` describes the training data, `log` has a row for each logged epoch, `verdict` says how good the net is, and
    `decision` is the threshold between two classes, as a run records them.
    """

    config: Config
    predictor: Predictor
    data: Mapping[str, Any]
    log: Sequence[LogRow]
    outcome: Outcome
    verdict: Sequence[Verdict] = ()
    decision: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls, experiment: Experiment, callbacks: Sequence[Callback] = (), warnings: Iterable[str] | None = None
    ) -> Self:
        """Train the net of an experiment in memory; `warnings` are by default all that the experiment has.

        Raises `DivergedError` if a loss or gradient is not finite.
        """
        for message in experiment.warnings if warnings is None else warnings:
            warn(message)
        log = EpochRows()
        outcome = replace(fit(experiment, [log], callbacks), scored={})
        config, predictor = without_rows(experiment.config), copy.copy(experiment.predictor)
        predictor.config = config
        verdict = judge(experiment, outcome.metrics, log.rows, outcome.calibration)
        return cls(config, predictor, experiment.description, log.rows, outcome, verdict)

    @classmethod
    def read(cls, run: RunDirectory) -> Self:
        """Read the result from a run directory. Raises `RunError` if it is incomplete or damaged."""
        predictor = restore(run)
        counts = {split: run.records.confusion(split) for split in SPLITS}
        confusion = {
            split: ConfusionTable(tuple(rows), np.array([[*row.values()] for row in rows.values()]))
            for split, rows in counts.items()
            if rows
        }
        calibration = calibration_of(run, predictor) if run.records.has_calibration() else None
        background = run.arrays.background(predictor.model.input_shape[0])
        outcome = Outcome(run.metrics(), confusion, calibration, predictor.blend, background)
        return cls(
            config_of(run),
            predictor,
            run.records.data(),
            run.epochs(),
            outcome,
            recorded_verdict(run),
            run.records.decision(),
        )

    def write(self, path: str | os.PathLike[str]) -> RunDirectory:
        """Write a new run directory at exactly this path, which must not exist, and return it.

        Raises `RunError` if something is there. If writing fails, nothing is left.
        """
        run = RunDirectory.create_at(Path(path))
        try:
            record_beginning(run, self.config, self.data)
            for row in self.log:
                run.log.append(row)
            run.log.close()
            run.arrays.write_weights("best", self.weights)
            record_outcome(run, self.outcome, self.verdict)
            if self.decision is not None:
                run.records.write_decision(self.decision)
        except BaseException:
            run.discard()
            raise
        run.release()
        return run

    @cached_property
    def one_row(self) -> OneRow:
        """The net for one row at a time, whether or not it is far from the training rows."""
        return OneRow(self.predictor)

    @property
    def weights(self) -> dict[str, Array]:
        """The parameters of the net by name, such as `0.weight`."""
        return self.predictor.model.parameters.arrays


class EpochRows(Callback):
    """A callback that keeps the rows of the epoch log in memory."""

    def __init__(self) -> None:
        self.rows: list[LogRow] = []

    def on_log(self, training: Training, row: LogRow) -> None:
        """Keep a row."""
        self.rows.append(dict(row))


def without_rows(config: Config) -> Config:
    """Return a config that does not hold the rows of a table given in Python."""
    if not isinstance(config.dataset, InMemory):
        return config
    return config.model_copy(update={"dataset": config.dataset.without_rows()})
