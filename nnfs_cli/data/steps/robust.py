"""The middle of a column at 0, and half of it within a width of 1."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, distance, quantiles, rounding


class Robust(NumberStep, name="robust"):
    """Subtract the median and divide by the distance of the quartiles, which outliers do not move.

    x -> (x - median) / scale with scale = q(0.75) - q(0.25), all of the training rows. Where the quartiles are the same
    number, up to the rounding of the largest one, scale = the standard deviation; a constant column is only centred.
    Source: Huber, "Robust Statistics" (1981).
    """

    examples = ("robust",)
    invertible = centred = True

    def fit(self, column: Array) -> Fit:
        """Median, and the distance of the quartiles or what stands for it."""
        low, median, high = quantiles(column, (0.25, 0.5, 0.75))
        scale = distance(low, high)
        largest = float(np.abs(column).max())
        return {"median": median, "scale": scale if scale > rounding(largest) else _deviation(column, largest)}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Median 0 and quartiles 1 apart on the training rows."""
        return (values - statistics["median"]) / statistics["scale"]

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Back to the column's own units."""
        return values * statistics["scale"] + statistics["median"]


def _deviation(column: Array, largest: float) -> float:
    """The population standard deviation, also of numbers whose squares are beyond floating point; 1 for a constant."""
    share = float((column / (largest or 1.0)).std())
    return share * largest if share * largest > 0 and share > rounding(1.0) else 1.0
