"""Outliers compressed towards a bound, without a sharp edge."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.data.steps.base import NumberStep, Statistics
from nnfs_cli.pipeline.elementwise import absolute, add, divide, maximum, minimum, multiply, sqrt
from nnfs_cli.pipeline.value import Value

LARGE = 1e8  # in float64, sqrt(1 + x²) = |x| from here on


class SmoothClip(NumberStep, name="smooth_clip", main="bound"):
    """Compress numbers into the range between -bound and bound; small numbers hardly change, and the order stays.

    y = x / sqrt(1 + (x / bound)²).

    Fitted: nothing, so put it behind a step that brings columns to a common scale, as in `[robust, smooth_clip]`.
    Source: Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
    Data" (2024), section 3.
    """

    examples = ("smooth_clip", "smooth_clip: 5.0")

    bound: PositiveFloat = Field(default=3.0, kw_only=False)
    """Limit of the size of every number."""

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Return the values, compressed to lie between the bounds."""
        ratio = values / self.bound
        bent: Array = values / np.hypot(1, ratio)  # hypot does not overflow, as a square would
        return bent

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return x / sqrt(1 + (x / bound)²)."""
        size = absolute(divide(values, self.bound))
        small = minimum(size, LARGE)  # whose square does not overflow
        return divide(values, maximum(sqrt(add(1.0, multiply(small, small))), size))
