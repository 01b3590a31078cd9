"""Mean 0 and standard deviation 1."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics


class Standardize(NumberStep, name="standardize"):
    """Subtract the mean and divide by the standard deviation: x -> (x - mean) / std, both of the training rows.

    A column that is constant, up to the rounding of its own size, is only centred.
    """

    examples = ("standardize",)
    invertible = centred = True

    def fit(self, column: Array) -> Fit:
        """Mean and population standard deviation."""
        mean, std = float(column.mean()), float(column.std())
        rounding = 100 * np.finfo(np.float64).eps * np.abs(column).max()
        return {"mean": mean, "scale": std if std > rounding else 1.0}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Mean 0 and standard deviation 1 on the training rows."""
        return (values - statistics["mean"]) / statistics["scale"]

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Back to the column's own units."""
        return values * statistics["scale"] + statistics["mean"]
