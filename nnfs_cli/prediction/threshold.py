"""Choose the threshold between two classes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nnfs_cli.arrays import Array


def best_threshold(p: Array, second: Array, weight: Array | None, by: Literal["f1", "accuracy"]) -> float:
    """Return the threshold with the best mean F1 of both classes, or the best accuracy, on some rows.

    `p` (rows,) is the probability of the second class, `second` (rows,) whether a row is of that class, and `weight`
    (rows,) how much it counts. Of equally good thresholds the one nearest to 0.5 is returned. A threshold lies midway
    between two neighbouring probabilities, or between one of them and the end of the range: 0, or just above 1, so that
    no row is predicted to be of the second class. Without rows it is 0.5.
    """
    weight = np.ones(len(p)) if weight is None else np.asarray(weight, np.float64)
    counts, second = weight > 0, np.asarray(second, bool)
    values, place = np.unique(p[counts].astype(np.float64), return_inverse=True)
    if not len(values):
        return 0.5

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
        score = hits - false_alarms + false_alarms[0]
    lower, upper = np.append(0, values), np.append(values, max(1, np.nextafter(values[-1], 2)))
    middle = (lower + upper) / 2
    threshold = np.where(middle > lower, middle, upper)  # of adjacent floats the middle is one of them
    best = threshold[score >= score.max() * (1 - 1e-12)]  # equal but for rounding
    return float(best[np.abs(best - 0.5).argmin()])
