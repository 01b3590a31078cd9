"""Statistics of rows with weights: a row of weight 2 counts as two rows, and without weights every row counts as one.

The mean, the deviation and the quantiles of whole weights are those of a table in which each row is repeated as often
as its weight says. Weights need not be whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table

NEAR = 1e-9  # places among the rows that differ by less are the same, since they are rounded


def row_weights(table: Table, column: str) -> Array:
    """Return the weight of each row, (rows,) float64. Raises `DataError` for a cell that is no number of 0 or more."""
    weights = table.numbers(column)
    if (weights < 0).any():
        raise table.error(int(np.argmax(weights < 0)), column, "numbers of 0 or more, since they are weights")
    return weights


def exposures(table: Table, column: str) -> Array:
    """Return the exposure of each row, (rows,) float64. Raises `DataError` for a cell that is no number above 0."""
    found = table.numbers(column)
    if (found <= 0).any():
        raise table.error(int(np.argmax(found <= 0)), column, "numbers above 0, since counts are divided by them")
    return found


def as_counts(weights: Array | None) -> Array | None:
    """Return weights above 0, (rows,), as numbers of rows that each row stands for; None if each stands for itself.

    Weights stay as they are, unless they are so small that they stand for fewer rows than they are worth, as shares
    that sum to 1 do. Those are scaled to sum to the `effective_number` of rows.
    """
    if weights is None or (weights == 1).all():
        return None
    with np.errstate(over="ignore"):  # a sum that overflows is large enough
        return np.asarray(weights * max(effective_number(weights) / weights.sum(), 1.0))


def effective_number(weights: Array) -> float:
    """Return how many rows of equal weight give a mean as exact as rows of these weights (rows,): (Σ w)² / Σ w².

    Source: Kish, "Survey Sampling" (1965), section 11.2C.

    >>> effective_number(np.array([1.0, 1, 1, 1])), effective_number(np.array([100.0, 1, 1, 1]))
    (4.0, 1.0605...)
    """
    shares = weights / weights.max()  # squares of weights may overflow
    return float(shares.sum() ** 2 / np.square(shares).sum())


def n_rows(column: Array, weights: Array | None = None) -> int:
    """Return the number of rows that the rows of a column stand for, in whole rows and at least 1."""
    return len(column) if weights is None else max(int(min(weights.sum(), 2**53)), 1)


def mean(column: Array, weights: Array | None = None) -> float:
    """Return the mean of a column (rows,)."""
    if weights is None:
        return float(column.mean())
    shares = weights / weights.max()
    return float((column * (shares / shares.sum())).sum())


def deviation(column: Array, weights: Array | None = None) -> float:
    """Return the population standard deviation of a column (rows,)."""
    if weights is None:
        return float(column.std())
    return float(np.sqrt(mean(np.square(column - mean(column, weights)), weights)))


def median(column: Array, weights: Array | None = None) -> float:
    """Return the median of a column (rows,)."""
    return float(np.median(column)) if weights is None else quantiles(column, (0.5,), weights)[0]


def quantiles(column: Array, levels: Sequence[float] | Array, weights: Array | None = None) -> list[float]:
    """Return the quantiles of a column (rows,) at levels from 0 to 1, interpolated between rows.

    Put on a line in order, each row as long as its weight, the rows have a length of n. The quantile at level p is the
    mean of the piece of length 1 that begins at p (n - 1). For rows of weight 1 that is the usual interpolation.
    Source: Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), definition 7; with weights, Akinshin,
    "Weighted quantile estimators" (2023), of which this is the rectangular kernel with the sum of the weights as size.
    """
    shrink = 0.25 if np.abs(column).max() > 1e307 else 1.0  # differences of huge numbers would overflow
    if weights is None:
        found = np.quantile(column * shrink, levels)
    else:
        found = _weighted_quantiles(column * shrink, np.asarray(levels, np.float64), weights)
    of_levels: list[float] = (found / shrink).tolist()
    return of_levels


def _weighted_quantiles(column: Array, levels: Array, weights: Array) -> Array:
    order = np.argsort(column, kind="stable")
    column, ends = column[order], np.cumsum(weights[order])
    starts = levels * max(ends[-1] - 1, 0)
    whole = np.rint(starts)
    starts = np.where(np.abs(starts - whole) < NEAR, whole, starts)  # no row has a share that is a rounding error
    first = np.minimum(np.searchsorted(ends, starts, "right"), len(ends) - 1)
    last = np.minimum(np.searchsorted(ends, starts + 1, "left"), len(ends) - 1)
    found: Array = column[first]
    for i in np.flatnonzero(column[last] > found):
        rows = slice(first[i], last[i] + 1)
        inside = np.diff(np.minimum(ends[rows], starts[i] + 1), prepend=starts[i])
        found[i] += ((column[rows] - found[i]) * inside).sum() / inside.sum()
    return found
