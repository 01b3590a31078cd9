"""Numbers scaled by the median and the quartiles."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, finite_range, rounding_error
from nnfs_cli.data.weighted import deviation, quantiles
from nnfs_cli.pipeline.elementwise import add, divide, multiply, subtract
from nnfs_cli.pipeline.value import Value


class Robust(NumberStep, name="robust"):
    """Subtract the median and divide by the interquartile range, which outliers hardly affect.

    y = (x - median) / scale with scale = q(0.75) - q(0.25). If the quartiles are equal, up to rounding, scale is the
    standard deviation; for a constant column, scale = 1.

    Fitted: median and scale.
    Source: Huber, "Robust Statistics" (1981).
    """

    examples = ("robust",)
    invertible = centred = True

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return the median, and the interquartile range or its substitute."""
        low, median, high = quantiles(column, (0.25, 0.5, 0.75), weights)
        scale = finite_range(low, high)
        largest = float(np.abs(column).max())
        scale = scale if scale > rounding_error(largest) else _deviation(column, largest, weights)
        return {"median": median, "scale": scale}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Return the scaled values: median 0 and interquartile range 1 on the training rows."""
        return (values - statistics["median"]) / statistics["scale"]

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return (x - median) / scale."""
        return divide(subtract(values, statistics["median"]), statistics["scale"])

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Return values in the column's own units."""
        return values * statistics["scale"] + statistics["median"]

    def inverse_operations(self, values: Value, statistics: Statistics) -> Value:
        """Return y · scale + median."""
        return add(multiply(values, statistics["scale"]), statistics["median"])


def _deviation(column: Array, largest: float, weights: Array | None) -> float:
    """Return the population standard deviation, without overflow for huge numbers; 1 for a constant column."""
    share = deviation(column / (largest or 1.0), weights)
    return share * largest if share * largest > 0 and share > rounding_error(1.0) else 1.0
