"""Quantile regression: predictions that the target stays below with given probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, TypeAlias

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Level, NotEmpty
from nnfs_cli.components.section import invalid
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.losses.base import Loss, LossBackward, row_means, scaled
from nnfs_cli.pipeline.elementwise import add, multiply
from nnfs_cli.pipeline.shapes import reshape, sort_last, take
from nnfs_cli.pipeline.value import Value


def _ascending(levels: tuple[float, ...]) -> tuple[float, ...]:
    if any(low >= high for low, high in pairwise(levels)):
        raise invalid(f"expected levels in ascending order, each once, found {list(levels)}")
    return levels


if TYPE_CHECKING:
    Levels: TypeAlias = Sequence[float]  # type checkers accept a list as well
else:
    Levels = Annotated[
        tuple[Level, ...],
        BeforeValidator(
            lambda value: value if isinstance(value, list | tuple) else (value,),
            json_schema_input_type=Level | tuple[Level, ...],
        ),
        NotEmpty,
        AfterValidator(_ascending),
    ]


class Quantile(Loss, name="quantile", main="levels"):
    """Pinball loss, averaged over the outputs: L = 1/n Σ_i max(q_i e_i, (q_i - 1) e_i) with e = y - y_hat.

    An output of level q learns the value that the target stays below with probability q. Each target has one output for
    each level, side by side. Quantiles that cross are sorted, which never makes them worse (Chernozhukov,
    Fernández-Val and Galichon, "Quantile and Probability Curves Without Crossing", 2010).
    Gradient: dL/dy_hat = -q / n where y >= y_hat, else (1 - q) / n.
    Shapes: y_hat and y (batch, n), n = targets · levels; L (batch,).
    Source: Koenker and Bassett, "Regression Quantiles" (1978).
    """

    examples = ("quantile", "quantile: 0.5", "quantile: [0.05, 0.25, 0.75]")
    by_entry = (
        "L = 1 / n Σ_i max(q_i (y_i - y_hat_i), (q_i - 1) (y_i - y_hat_i))",
        "dy_hat_i = -q_i / n · w for y_i >= y_hat_i, else (1 - q_i) / n · w",
    )
    task = "regression"

    levels: Levels = Field(default=(0.1, 0.5, 0.9), kw_only=False)
    """Levels of the quantiles, ascending, between 0 and 1. The prediction is the median, interpolated if needed."""

    def n_outputs(self, n_classes: int | None, n_targets: int) -> int:
        """Return the number of targets times the number of levels."""
        return n_targets * len(self.levels)

    def encode(self, y: Array, n_outputs: int) -> Array:
        """(rows, targets) -> (rows, targets · levels): each target repeated for each level."""
        return np.repeat(y, len(self.levels), axis=-1)

    def answer(self, y_hat: Array) -> Array:
        """(rows, targets · levels) -> (rows, targets): the median, interpolated between its nearest levels."""
        quantiles, (low, high, share) = self.quantiles(y_hat), self._median
        return (1 - share) * quantiles[low] + share * quantiles[high]

    @property
    def _median(self) -> tuple[float, float, float]:
        """The levels next to the median, and the share of the higher one in it."""
        low = max((level for level in self.levels if level <= 0.5), default=self.levels[0])
        high = min((level for level in self.levels if level >= 0.5), default=self.levels[-1])
        return low, high, (0.5 - low) / (high - low) if low < high else 0.0

    def answer_operations(self, y_hat: Value) -> Value:
        """Return the median, interpolated between its nearest levels."""
        quantiles, (low, high, share) = self.quantile_operations(y_hat), self._median
        if low == high:
            return quantiles[low]
        return add(multiply(quantiles[low], 1 - share), multiply(quantiles[high], share))

    def quantiles(self, y_hat: Array) -> dict[float, Array]:
        """(rows, targets · levels) -> (rows, targets) by level, sorted so that higher levels are never lower."""
        ordered = np.sort(y_hat.reshape(*y_hat.shape[:-1], -1, len(self.levels)), axis=-1)
        return {level: ordered[..., i] for i, level in enumerate(self.levels)}

    def quantile_operations(self, y_hat: Value) -> dict[float, Value]:
        """Return the sorted quantiles (targets,) by level."""
        targets = y_hat.width // len(self.levels)
        ordered = sort_last(reshape(y_hat, [targets, len(self.levels)]))
        return {level: reshape(take(ordered, [i]), [targets]) for i, level in enumerate(self.levels)}

    def constant_levels(self) -> tuple[float, ...]:
        """Return the levels: the best constants are the quantiles of the target."""
        return tuple(self.levels)

    def named_numbers(self, y_hat: Array, y: Array) -> dict[str, Array | float]:
        """Return q (n,), the level of each output."""
        return {"q": np.tile(self.levels, y.shape[-1] // len(self.levels))}

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        n = y.shape[-1]
        levels = context.empty((n,))
        levels.reshape(-1, len(self.levels))[...] = self.levels
        error = np.subtract(y, y_hat, out=context.empty(y_hat.shape))
        slope = np.less(error, context.zeros(y_hat.shape), out=context.empty(y_hat.shape))
        np.subtract(levels, slope, out=slope)
        losses = row_means(np.multiply(slope, error, out=error), context)

        def backward(weight: float | Array) -> Array:
            return np.multiply(slope, scaled(weight, -1 / n, context), out=slope)

        return losses, backward
