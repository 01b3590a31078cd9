"""No preprocessing."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import NumberStep, Statistics


class Unchanged(NumberStep, name="none"):
    """Leave the numbers as they are."""

    examples = ("none",)
    invertible = True

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """They are as they were."""
        return values
