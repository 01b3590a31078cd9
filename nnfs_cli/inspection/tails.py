"""Find out whether it helps to tame values far from all others: those of an input, and those of the target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.data.weighted import quantiles
from nnfs_cli.inspection.column_relations import standardized

CLEARLY = 0.1  # by how much more
ROWS, COLUMNS = 5_000, 50  # of a linear model, at most
CLASSES = 20  # the most frequent classes, at most, that are compared

# A column is heavy-tailed if both hold:
SPAN = 1_000  # among 98 % of the numbers other than 0, the largest size is at least so many times the smallest
TAIL = 20  # the tail is more than so many times as long as the range of the middle half of the numbers


def is_heavy_tailed(values: Array, counts: Array) -> bool:
    """Return whether numbers lie over several orders of magnitude, most of them close together beside a long tail.

    `values` (n,) are different and ascend, and `counts` (n,) are their numbers of rows.
    """
    values, ends = values.astype(np.float64), np.cumsum(counts)
    low, q25, median, q75, high = values[np.searchsorted(ends, np.array([0.01, 0.25, 0.5, 0.75, 0.99]) * ends[-1])]
    if not max(high - median, median - low) > TAIL * (q75 - q25) > 0:
        return False
    there = values != 0
    small, large = quantiles(np.abs(values[there]), (0.01, 0.99), counts[there])
    return large >= SPAN * small


def follows_tail(values: Array, y: Array) -> bool:
    """Return whether a target depends more on the numbers of a column than on the same numbers without their tails.

    `values` (rows,) are finite; `y` (rows, n) are targets as the net learns them. It compares the absolute correlation
    with that after the lowest and the highest 1 % have been cut to the quantiles.
    """
    cut = np.clip(values, *np.quantile(values, (0.01, 0.99)))
    return bool(_correlation(values, y) > _correlation(cut, y) + CLEARLY)


def indicators(codes: Array) -> Array:
    """Return for each of the most frequent classes whether a row (rows,) is in it, (rows, classes)."""
    frequent = np.argsort(-np.bincount(codes), kind="stable")[:CLASSES]
    return np.asarray(codes[:, None] == frequent, np.float64)


def _correlation(values: Array, y: Array) -> float:
    z, Y = standardized(values[:, None])[0], standardized(y)[0]
    return float(np.abs(z.T @ Y).max()) / len(values)


def logarithm_fits(columns: Sequence[Array], y: Array) -> bool:
    """Return whether a linear model explains clearly more of the logarithms of a target (rows,) than of the target.

    `columns` are inputs of numbers, each (rows,); each enters as it is and by its rank.
    """
    rows = evenly_spaced(len(y), ROWS)
    inputs = [values[rows] for values in columns[:COLUMNS]]
    if not inputs:
        return False
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in inputs]
    X = standardized(np.stack([*inputs, *ranks], axis=1).astype(np.float64))[0]
    plain, logs = (_explained(X, target) for target in (y[rows], np.log1p(y[rows])))
    return bool(logs > plain + CLEARLY / 2)


def _explained(X: Array, y: Array) -> float:
    """Return the adjusted share of the variance that the least squares explain."""
    Y = standardized(y[:, None])[0]
    weights = np.linalg.lstsq(X, Y, rcond=None)[0]
    left = np.square(Y - X @ weights).sum()
    return float(1 - left / max(len(y) - X.shape[1] - 1, 1))
