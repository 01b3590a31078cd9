"""Numbers without any preprocessing."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import NumberStep, Statistics
from nnfs_cli.pipeline.value import Value


class Unchanged(NumberStep, name="none"):
    """Leave numbers as they are: y = x."""

    examples = ("none",)
    invertible = True

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Return the values, which `transform` left as they were."""
        return values

    def inverse_operations(self, values: Value, statistics: Statistics) -> Value:
        """Return y."""
        return values
