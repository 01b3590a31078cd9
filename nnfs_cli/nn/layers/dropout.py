"""Dropout: training sets random numbers to zero, so that the net does not rely on any single one."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Fraction
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.value import Value


class Dropout(Layer, name="dropout", main="rate"):
    """Inverted dropout: y = x · m / (1 - rate), where m is 0 with probability `rate`, else 1; y = x in prediction.

    Each batch draws its mask m from the random stream of (seed, epoch, batch).
    Gradient: dx = dy · m / (1 - rate).
    Shapes: any; y and m as x.
    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting" (2014), section 10.
    """

    examples = ("dropout: 0.2", "dropout")
    by_entry = (
        "y = x · m / (1 - rate)",
        "dx = dy · m / (1 - rate)",
    )
    preserves_range = True
    differs_in_training = True

    rate: Fraction = Field(default=0.5, kw_only=False)
    """Probability that a number is set to zero."""

    def named_numbers(self, x: Array, y: Array) -> dict[str, Array | float]:
        """Return the mask m (batch, ...); where x is 0, it does not matter."""
        return {"m": (y != 0).astype(x.dtype)}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        if not (context.training and self.rate):
            return x, lambda dy, g, need_dx: dy
        mask = context.random(x.shape)
        np.greater_equal(mask, self.rate, out=mask)
        np.multiply(mask, 1 / (1 - self.rate), out=mask)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            return np.multiply(dy, mask, out=context.empty(x.shape))

        return np.multiply(x, mask, out=context.empty(x.shape)), backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return x."""
        return x
