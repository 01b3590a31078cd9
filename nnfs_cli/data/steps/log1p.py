"""Logarithms, of either sign."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import NumberStep, Statistics

LARGEST = float(np.log1p(np.finfo(np.float64).max))  # of which the inverse is a number


class Log1p(NumberStep, name="log1p"):
    """The logarithm of 1 plus the size of a number, with its sign: close to 0 a number stays almost as it is.

    x -> y = sign(x) ln(1 + |x|); back, x = sign(y) (exp(|y|) - 1), or the largest number there is where that is beyond
    floating point. Nothing is learned of the training rows.
    Source: John and Draper, "An Alternative Family of Transformations" (1980), the modulus transformation at 0.
    """

    examples = ("log1p",)
    invertible = True

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Logarithms."""
        logarithms: Array = np.copysign(np.log1p(np.abs(values)), values)
        return logarithms

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Back to the column's own units."""
        numbers: Array = np.copysign(np.expm1(np.minimum(np.abs(values), LARGEST)), values)
        return numbers
