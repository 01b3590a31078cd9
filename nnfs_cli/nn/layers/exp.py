"""The exponential function: it turns any number into a positive one."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.elementwise import exp
from nnfs_cli.pipeline.value import Value


class Exp(Layer, name="exp"):
    """Exponential function: y = exp(x), element by element.

    For large x the result overflows to infinity, which ends training as diverged.
    Gradient: dx = y dy.
    Shapes: any; y as x.
    Source: McCullagh and Nelder, "Generalized Linear Models" (1989), section 6.2, as the inverse of the log link.
    """

    examples = ("exp",)
    output_range = (0, np.inf)

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        y = np.exp(x, out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            return np.multiply(y, dy, out=context.empty(x.shape))

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return exp(x)."""
        return exp(x)
