"""Logarithms of numbers of either sign."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import NumberStep, Statistics
from nnfs_cli.pipeline.elementwise import absolute, expm1, log1p, minimum, sign_of
from nnfs_cli.pipeline.value import Value

LARGEST = float(np.log1p(np.finfo(np.float64).max))  # the largest value whose inverse is finite


class Log1p(NumberStep, name="log1p"):
    """Take the logarithm of 1 + |x| and keep the sign; numbers close to 0 hardly change.

    y = sign(x) ln(1 + |x|); inverse x = sign(y) (exp(|y|) - 1), limited to the largest float64.

    Fitted: nothing.
    Source: John and Draper, "An Alternative Family of Transformations" (1980), the modulus transformation at 0.
    """

    examples = ("log1p",)
    invertible = True

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Return the logarithms, (rows, columns)."""
        logarithms: Array = np.copysign(np.log1p(np.abs(values)), values)
        return logarithms

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return ln(1 + |x|) with the sign of x."""
        return sign_of(log1p(absolute(values)), values)

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Return values in the column's own units."""
        numbers: Array = np.copysign(np.expm1(np.minimum(np.abs(values), LARGEST)), values)
        return numbers

    def inverse_operations(self, values: Value, statistics: Statistics) -> Value:
        """Return exp(|y|) - 1 with the sign of y, limited to the largest float64."""
        return sign_of(expm1(minimum(absolute(values), LARGEST)), values)
