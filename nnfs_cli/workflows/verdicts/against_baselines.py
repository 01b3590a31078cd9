"""The verdict on a net beside baselines: the best of them is the one to beat."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.metrics.base import MeanMetric
from nnfs_cli.metrics.decisions import Accuracy
from nnfs_cli.metrics.numbers import MAE, MSE
from nnfs_cli.metrics.probabilities import LogLoss
from nnfs_cli.nn.losses import Loss
from nnfs_cli.workflows.verdicts.against_simple_models import IN_THE_DATA, TREES
from nnfs_cli.workflows.verdicts.interval import Difference, Mean, interval, mean_of, pooled
from nnfs_cli.workflows.verdicts.verdict import Verdict

LEAST = 0.02  # a difference below this share of the better error does not matter, however certain it is
# The names of baselines with what a sentence calls them, and what to do if they are better, or as good as the net.
MODELS = {
    "constant": ("the best constant", "`nnfs check` looks for columns that were read wrongly", IN_THE_DATA),
    "linear": ("the linear baseline", "use that model, or try another lr or more epochs", "the linear model may do"),
    "boosting": ("boosted trees", "use them, or try preset: tabular", "either may do"),
}


class Contest(NamedTuple):
    """What a net and the baselines, by name, predict for the same rows; `member` (rows,) predicts each row, if any."""

    net: PredictedRows
    baselines: Mapping[str, PredictedRows]
    member: Array | None


def against_baselines(contests: Sequence[Contest], loss: Loss) -> Iterator[Verdict]:
    """Yield whether the net is better than the best baseline, or worse, on all sets of held-out rows together.

    The error of a row is the log loss for probabilities, and the squared error for numbers, or the absolute one if the
    `loss` of the net leads to medians. Of equally good baselines, the simplest one is the best.
    """
    names = [name for name in MODELS if contests and all(name in contest.baselines for contest in contests)]
    if not names:
        return
    means = {name: pooled([_mean(one, one.baselines[name], loss) for one in contests]).value for name in names}
    best = min(names, key=means.__getitem__)
    excess = interval(pooled([_mean(one, one.net, loss, one.baselines[best]) for one in contests]))
    if excess is None:
        return
    measure, error = _measure(loss), means[best]
    called, if_better, if_as_good = MODELS[best]
    by = (_in_units(excess, error) if measure == "rmse" else excess).in_words(measure)
    if not (excess.positive or excess.negative) or abs(excess.mean) < LEAST * min(error, error + excess.mean):
        sentence = f"not clearly different from the best baseline ({best}): {by}"
        yield Verdict("no_better_than_baseline", "warning" if best == "constant" else "note", sentence, if_as_good)
    elif excess.positive:
        yield Verdict("worse_than_baseline", "warning", f"worse than {called}: {by}", if_better)
    else:
        sentence = f"better than the best baseline ({best}): {by}"
        yield Verdict("better_than_baseline", "note", sentence, "keep the net" if "boosting" in names else TREES)


def _measure(loss: Loss) -> str:
    if loss.task == "classification":
        return "log loss" if loss.probabilistic else "error rate"
    return "mae" if loss.constant_levels() else "rmse"


def _mean(contest: Contest, model: PredictedRows, loss: Loss, other: PredictedRows | None = None) -> tuple[Mean, float]:
    """Return the mean error of a model, or by how much it is higher than that of another, and the weight of all rows.

    The rows count by the weights, groups and members that the net has.
    """
    net, errors = contest.net, _errors(model, loss)
    if other is not None:
        errors = errors - _errors(other, loss)
    total = float(len(errors) if net.weight is None else net.weight.sum(dtype=np.float64))
    return mean_of(errors, net.weight, net.group, contest.member), total


def _errors(rows: PredictedRows, loss: Loss) -> Array:
    """Return the error of each row in float64, (rows,)."""
    metric: MeanMetric
    match _measure(loss):
        case "error rate":
            return np.asarray(1.0 - Accuracy().row_values(rows))
        case "log loss":
            metric = LogLoss()
        case "mae":
            metric = MAE()
        case _:
            metric = MSE()
    return metric.of_means(metric.row_values(rows))


def _in_units(excess: Difference, error: float) -> Difference:
    """Return an excess over a mean squared error, `error`, as one over its root: both roots sum to the divisor."""
    roots = math.sqrt(error) + math.sqrt(max(error + excess.mean, 0))
    return Difference(*(value / roots if roots else 0.0 for value in excess))
