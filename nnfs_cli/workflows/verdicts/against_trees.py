"""The verdict on a net beside boosted trees, which take too long to be fitted unasked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.nn.losses import Loss
from nnfs_cli.workflows.verdicts.interval import Interval, interval, mean_of, pooled
from nnfs_cli.workflows.verdicts.verdict import Verdict
from nnfs_cli.workflows.verdicts.wording import brief

LEAST = 0.02  # a difference below this share of the better error does not matter, however certain it is

Pair = tuple[PredictedRows, PredictedRows, Array | None]  # net, trees, and the member that predicts each row


def against_trees(pairs: Sequence[Pair], loss: Loss) -> Iterator[Verdict]:
    """Yield whether boosted trees are clearly better than the net, or worse, on all sets of held-out rows together.

    The error of a row is the log loss for probabilities, and the squared error for numbers, or the absolute one if the
    `loss` of the net leads to medians.
    """
    name, sets = "", []
    for net, trees, member in pairs:
        name, ours = _errors(net, loss)
        _, theirs = _errors(trees, loss)
        weight = net.weight
        total = float(len(ours) if weight is None else weight.sum(dtype=np.float64))
        sets.append([(mean_of(each, weight, net.group, member), total) for each in (ours, ours - theirs)])
    if not sets:
        return
    error = pooled([ours for ours, _ in sets]).value
    excess = interval(pooled([differences for _, differences in sets]))
    if excess is None or not (excess.positive or excess.negative):
        return
    if abs(excess.mean) < LEAST * min(error, error - excess.mean):
        return
    worse, shown = excess.positive, _in_units(excess, error) if name == "rmse" else excess
    bounds = sorted(map(abs, (shown.low, shown.high)))
    by = f"{name} {brief(abs(shown.mean))} {'higher' if worse else 'lower'} ({brief(bounds[0])} to {brief(bounds[1])})"
    if worse:
        remedy = "use them, or try preset: tabular"
        yield Verdict("worse_than_boosting", "warning", f"worse than boosted trees: {by}", remedy)
    else:
        yield Verdict("better_than_boosting", "note", f"better than boosted trees: {by}", "keep the net")


def _errors(rows: PredictedRows, loss: Loss) -> tuple[str, Array]:
    """Return the name of the mean error, and the error of each row in float64, (rows,)."""
    if loss.task == "classification":
        if not loss.probabilistic:
            return "error rate", (rows.decided != rows.y) * 1.0
        p = rows.y_hat[np.arange(len(rows.y)), rows.y].astype(np.float64)
        return "log loss", -np.log(np.clip(p, np.finfo(rows.y_hat.dtype).eps, 1))
    error = rows.y_hat.astype(np.float64) - rows.y
    if loss.constant_levels():
        return "mae", np.abs(error).mean(axis=1)
    return "rmse", np.square(error).mean(axis=1)


def _in_units(excess: Interval, error: float) -> Interval:
    """Return an excess of the mean squared error as one of its root, which is `error` for the net."""
    return Interval(*(math.sqrt(error) - math.sqrt(max(error - value, 0)) for value in excess))
