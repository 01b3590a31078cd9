"""Numbers scaled to mean 0 and standard deviation 1."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, rounding_error
from nnfs_cli.data.weighted import deviation, mean
from nnfs_cli.pipeline.elementwise import add, divide, multiply, subtract
from nnfs_cli.pipeline.value import Value


class Standardize(NumberStep, name="standardize"):
    """Subtract the mean and divide by the standard deviation: y = (x - mean) / scale.

    Fitted: the mean of the training rows, and scale, their population standard deviation. For a column that is
    constant, up to rounding, scale = 1.
    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 12.2.1.
    """

    examples = ("standardize",)
    invertible = centred = True

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return the mean and the population standard deviation."""
        average, std = mean(column, weights), deviation(column, weights)
        return {"mean": average, "scale": std if std > rounding_error(float(np.abs(column).max())) else 1.0}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Return the scaled values: mean 0 and standard deviation 1 on the training rows."""
        return (values - statistics["mean"]) / statistics["scale"]

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return (x - mean) / scale."""
        return divide(subtract(values, statistics["mean"]), statistics["scale"])

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Return values in the column's own units."""
        return values * statistics["scale"] + statistics["mean"]

    def inverse_operations(self, values: Value, statistics: Statistics) -> Value:
        """Return y · scale + mean."""
        return add(multiply(values, statistics["scale"]), statistics["mean"])
