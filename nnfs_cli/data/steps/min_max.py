"""Numbers scaled to the range from 0 to 1."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, finite_range, rounding_error
from nnfs_cli.pipeline.elementwise import add, divide, multiply, subtract
from nnfs_cli.pipeline.value import Value


class MinMax(NumberStep, name="min_max"):
    """Scale numbers so that the smallest training row becomes 0 and the largest becomes 1.

    y = (x - low) / scale with scale = high - low. Numbers outside the range of the training rows become less than 0 or
    more than 1. For a column that is constant, up to rounding, scale = 1.

    Fitted: low and scale.
    Source: Han, Kamber and Pei, "Data Mining" (2011), section 3.5.2.
    """

    examples = ("min_max",)
    invertible = True

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return the smallest number, and the distance of the largest from it."""
        low, high = float(column.min()), float(column.max())
        scale = finite_range(low, high)
        return {"low": low, "scale": scale if scale > rounding_error(low, high) else 1.0}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Return the scaled values: from 0 to 1 on the training rows."""
        return (values - statistics["low"]) / statistics["scale"]

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return (x - low) / scale."""
        return divide(subtract(values, statistics["low"]), statistics["scale"])

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Return values in the column's own units."""
        return values * statistics["scale"] + statistics["low"]

    def inverse_operations(self, values: Value, statistics: Statistics) -> Value:
        """Return y · scale + low."""
        return add(multiply(values, statistics["scale"]), statistics["low"])
