"""Outliers moved to a lower and an upper bound."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import model_validator

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Fraction, Rate
from nnfs_cli.components.section import invalid
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics
from nnfs_cli.data.weighted import quantiles
from nnfs_cli.pipeline.elementwise import clip
from nnfs_cli.pipeline.value import Value


class Clip(NumberStep, name="clip"):
    """Move numbers beyond the bounds to the bounds, which are quantiles of the training rows.

    y = min(max(x, q(low)), q(high)). With `low: 0` or `high: 1` that bound is the most extreme training row.

    Fitted: the two quantiles.
    Source: Tukey, "The Future of Data Analysis" (1962), which calls it Winsorizing.
    """

    examples = ("clip", "clip: {low: 0.0, high: 0.999}")

    low: Fraction = 0.01
    """Share of the training rows that lie below the lower bound."""
    high: Rate = 0.99
    """Share of the training rows that lie below the upper bound."""

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        if self.low >= self.high:
            raise invalid(f"low must be below high, found {self.low:g} and {self.high:g}")
        return self

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return the lower and the upper bound."""
        low, high = quantiles(column, (self.low, self.high), weights)
        return {"low": low, "high": high}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Return the values, limited to the bounds."""
        clipped: Array = np.clip(values, statistics["low"], statistics["high"])
        return clipped

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return min(max(x, q(low)), q(high))."""
        return clip(values, statistics["low"], statistics["high"])
