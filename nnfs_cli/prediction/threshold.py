"""Choose the threshold between two classes, and show what each threshold trades for what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array


@dataclass(frozen=True)
class Costs:
    """What a wrong prediction costs: `fp` where the second class is predicted but not true, `fn` where it is missed."""

    fp: float
    fn: float

    @property
    def threshold(self) -> float:
        """The threshold of least cost if probabilities are calibrated: fp / (fp + fn).

        Predicting the second class at probability p costs (1 - p) fp, and not predicting it p fn.
        Source: Elkan, "The Foundations of Cost-Sensitive Learning" (2001).
        """
        return 1 / (1 + self.fn / self.fp)  # their sum may overflow


class TradeOff(NamedTuple):
    """What one threshold does: shares from 0 to 1, and the mean cost of a row."""

    threshold: float
    precision: float  # the share of rows predicted as the second class that belong to it; NaN if none is predicted
    recall: float  # the share of rows of the second class that are predicted as it; NaN without such rows
    predicted: float  # the share of rows predicted as the second class
    cost: float | None  # None without costs


def best_threshold(p: Array, second: Array, weight: Array | None, by: Literal["f1", "accuracy"] | Costs) -> float:
    """Return the threshold with the best mean F1 of both classes, the best accuracy, or the least cost, on some rows.

    `p` (rows,) is the probability of the second class, `second` (rows,) whether a row is of that class, and `weight`
    (rows,) how much it counts. Of equally good thresholds the one nearest to 0.5 is returned; with costs, the one
    nearest to `Costs.threshold`. A threshold lies midway between two neighbouring probabilities, or between one of them
    and the end of the range: 0, or just above 1, so that no row is predicted to be of the second class. Without rows it
    is the one that others are compared with.
    """
    near = by.threshold if isinstance(by, Costs) else 0.5
    weight = np.ones(len(p)) if weight is None else np.asarray(weight, np.float64)
    counts, second = weight > 0, np.asarray(second, bool)
    values, place = np.unique(p[counts].astype(np.float64), return_inverse=True)
    if not len(values):
        return near

    def above(rows: Array) -> Array:
        """Return the weight of rows above each cut; cut i lies below value i, the last cut above all values."""
        by_value = np.bincount(place, (weight * rows)[counts], len(values))
        return np.append(by_value[::-1].cumsum()[::-1], 0)

    hits, false_alarms = above(second), above(~second)
    if by == "f1":
        misses, rejections = hits[0] - hits, false_alarms[0] - false_alarms
        errors = np.maximum(false_alarms + misses, np.finfo(float).tiny)  # a class without rows: 0, not 0/0
        score = hits / (2 * hits + errors) + rejections / (2 * rejections + errors)  # the sum of both F1, halved
    else:
        fp, fn = near, 1 - near  # in the ratio of the costs, but not too large to add up
        score = fn * hits + fp * (false_alarms[0] - false_alarms)  # what right decisions save
    lower, upper = np.append(0, values), np.append(values, max(1, np.nextafter(values[-1], 2)))
    middle = (lower + upper) / 2
    threshold = np.where(middle > lower, middle, upper)  # of adjacent floats the middle is one of them
    best = threshold[score >= score.max() * (1 - 1e-12)]  # equal but for rounding
    return float(best[np.abs(best - near).argmin()])


def trade_offs(
    p: Array, second: Array, weight: Array | None, thresholds: Iterable[float], costs: Costs | None = None
) -> list[TradeOff]:
    """Return what each threshold does on some rows; the arrays are those of `best_threshold`."""
    weight = np.ones(len(p)) if weight is None else np.asarray(weight, np.float64)
    found, total, of_second = [], weight.sum(), weight @ second
    for threshold in thresholds:
        predicted = p >= np.float64(threshold)  # in float64, see `metrics.decide`
        said, hits = weight @ predicted, weight @ (predicted & second)
        wrong = (said - hits) / total, (of_second - hits) / total
        cost = None if costs is None else float(costs.fp * wrong[0] + costs.fn * wrong[1])
        precision, recall = (float(hits / whole) if whole else np.nan for whole in (said, of_second))
        found.append(TradeOff(float(threshold), precision, recall, float(said / total), cost))
    return found
