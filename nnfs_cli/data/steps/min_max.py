"""From 0 to 1."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, distance, rounding


class MinMax(NumberStep, name="min_max"):
    """Move the smallest number of the training rows to 0 and the largest one to 1.

    x -> (x - low) / scale with scale = high - low. Numbers outside of what was trained on come out below 0 or above 1;
    a column that is constant, up to rounding, only gets its smallest number subtracted.
    Source: Han, Kamber and Pei, "Data Mining" (2011), section 3.5.2.
    """

    examples = ("min_max",)
    invertible = True

    def fit(self, column: Array) -> Fit:
        """The smallest number, and how far the largest one is from it."""
        low, high = float(column.min()), float(column.max())
        scale = distance(low, high)
        return {"low": low, "scale": scale if scale > rounding(low, high) else 1.0}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """From 0 to 1 on the training rows."""
        return (values - statistics["low"]) / statistics["scale"]

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Back to the column's own units."""
        return values * statistics["scale"] + statistics["low"]
