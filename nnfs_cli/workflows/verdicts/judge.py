"""Judge a net after its training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.workflows.verdicts.against_simple_models import against_simple_models
from nnfs_cli.workflows.verdicts.copied import copied_rows
from nnfs_cli.workflows.verdicts.coverage import coverage
from nnfs_cli.workflows.verdicts.curves import curve_verdicts
from nnfs_cli.workflows.verdicts.decisions import decision_verdicts
from nnfs_cli.workflows.verdicts.disagreement import disagreement
from nnfs_cli.workflows.verdicts.losses import losses_by_split
from nnfs_cli.workflows.verdicts.verdict import Verdict

ORDER = (
    "copies", "worse_than_constant", "never_predicted", "worse_than_linear", "worse_on_test", "narrow_intervals",
    "no_better_than_constant", "majority", "overfit", "too_short", "better_than_linear", "better_than_constant",
    "no_better_than_linear",
)  # fmt: skip


def judge(
    experiment: Experiment,
    metrics: Mapping[str, Any],
    log: Sequence[Mapping[str, float]],
    calibration: NumberCalibration | ClassCalibration | None = None,
) -> tuple[Verdict, ...]:
    """Return what can be said about the net of an experiment, the most important first.

    The net has its best weights; `metrics` are its final figures, `log` has a row for each logged epoch, and the
    `calibration` is that of its intervals.
    """
    found = [*_verdicts(experiment, metrics, log)]
    found += coverage(experiment.predictor, experiment.splits.get("test"), calibration)
    return tuple(sorted(found, key=lambda verdict: ORDER.index(verdict.code)))


def _verdicts(
    experiment: Experiment, metrics: Mapping[str, Any], log: Sequence[Mapping[str, float]]
) -> Iterator[Verdict]:
    losses, predictor = losses_by_split(experiment), experiment.predictor
    yield from copied_rows(predictor.encoder, experiment.splits)
    yield from against_simple_models([*losses.values()], predictor.model.output_shape[0])
    judged = [rows for rows in losses.values() if rows.truth is not None]
    if judged:
        truth, decided = (np.concatenate([getattr(rows, name) for rows in judged]) for name in ("truth", "decided"))
        weights = [np.ones(len(rows.net)) if rows.weight is None else rows.weight for rows in judged]
        yield from decision_verdicts(
            truth, decided, np.concatenate(weights), predictor.labels, bool(predictor.encoder.class_weights)
        )
    yield from disagreement(losses, in_time=experiment.config.split.time is not None)
    yield from curve_verdicts(log, experiment.config, "stopped" in metrics)
