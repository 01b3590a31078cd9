"""Judge a net after its training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.system.wording import counted
from nnfs_cli.workflows.verdicts.against_simple_models import Net, against_simple_models
from nnfs_cli.workflows.verdicts.copied import copied_rows
from nnfs_cli.workflows.verdicts.coverage import coverage
from nnfs_cli.workflows.verdicts.curves import curve_verdicts
from nnfs_cli.workflows.verdicts.decisions import decision_verdicts
from nnfs_cli.workflows.verdicts.disagreement import disagreement
from nnfs_cli.workflows.verdicts.interval import FEWEST
from nnfs_cli.workflows.verdicts.losses import RowLosses, losses_by_split
from nnfs_cli.workflows.verdicts.verdict import Verdict

ORDER = (
    "few_rows", "copies", "worse_than_constant", "no_better_than_constant", "never_predicted", "worse_than_linear",
    "worse_on_test", "narrow_intervals", "majority", "overfit", "too_short", "better_than_linear",
    "better_than_constant", "no_better_than_linear",
)  # fmt: skip
USELESS = {"worse_than_constant", "no_better_than_constant"}


def judge(
    experiment: Experiment,
    metrics: Mapping[str, Any],
    log: Sequence[Mapping[str, float]],
    calibration: NumberCalibration | ClassCalibration | None = None,
    losses: Mapping[str, RowLosses] | None = None,
) -> tuple[Verdict, ...]:
    """Return what can be said about the net of an experiment, the most important first.

    The net has its best weights; `metrics` are its final figures, `log` has a row for each logged epoch, and the
    `calibration` is that of its intervals. `losses` are those of `losses_by_split`, if they are known.
    """
    if losses is None:
        losses = losses_by_split(experiment.predictor, experiment.splits)
    found = [*_verdicts(experiment, metrics, log, losses)]
    found += coverage(experiment.predictor, experiment.splits.get("test"), calibration)
    return tuple(sorted(found, key=lambda verdict: ORDER.index(verdict.code)))


def _verdicts(
    experiment: Experiment,
    metrics: Mapping[str, Any],
    log: Sequence[Mapping[str, float]],
    losses: Mapping[str, RowLosses],
) -> Iterator[Verdict]:
    predictor = experiment.predictor
    yield from few_rows(losses)
    yield from copied_rows(predictor.encoder, experiment.splits)
    of_net = log[-1]["train_loss"] if predictor.blend is not None and log else metrics["train"]["loss"]
    net = Net.of(predictor, of_net)
    simple = [*against_simple_models([*losses.values()], net)]
    yield from simple
    judged = [rows for rows in losses.values() if rows.truth is not None]
    if judged:
        truth, decided = (np.concatenate([getattr(rows, name) for rows in judged]) for name in ("truth", "decided"))
        weights = [np.ones(len(rows.net)) if rows.weight is None else rows.weight for rows in judged]
        balanced = bool(predictor.encoder.class_weights)
        of_classes = decision_verdicts(truth, decided, np.concatenate(weights), predictor.labels, balanced)
        yield from first_things_first(of_classes) if USELESS & {verdict.code for verdict in simple} else of_classes
    yield from disagreement(losses, in_time=experiment.config.split.time is not None)
    yield from curve_verdicts(log, experiment.config, "stopped" in metrics)


def few_rows(losses: Mapping[str, RowLosses]) -> Iterator[Verdict]:
    """Yield that the held-out rows are too few for any verdict, if they are."""
    n = sum(len(rows.net) for rows in losses.values())
    if 0 < n < FEWEST:
        sentence = f"{counted(n, 'held-out row')} {'says' if n == 1 else 'say'} nothing about how good the net is"
        yield Verdict("few_rows", "warning", sentence, "use `nnfs cv`, `holdout: fold` or more rows")


def first_things_first(of_classes: Iterable[Verdict]) -> Iterator[Verdict]:
    """Yield what the predicted classes say of a net that finds nothing: no weight or threshold makes up for that."""
    for verdict in of_classes:
        if verdict.code == "never_predicted":
            yield replace(
                verdict, remedy="thresholds and class_weights help once the net is better than a constant prediction"
            )
