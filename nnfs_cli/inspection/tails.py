"""Find out whether the target follows the outliers of an input, so that a step must not tame them."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.inspection.column_relations import standardized

CLEARLY = 0.1  # by how much more
CLASSES = 20  # the most frequent classes, at most, that are compared


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
