"""Softplus: a rectifier without the corner."""

from __future__ import annotations

import numpy as np

from nnfs_cli.layers.base import Backward, Context, Layer
from nnfs_cli.layers.sigmoid import logistic
from nnfs_cli.parameters import Array, Views


class Softplus(Layer, name="softplus"):
    """Smooth rectifier: y = ln(1 + exp(x)), element by element, computed without overflow.

    Gradient: dx = sigmoid(x) · dy.
    Shapes: any; y has that of x.
    Source: Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing" (2001).
    """

    examples = ("softplus",)
    output_range = (0, np.inf)

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> the same."""
        y = np.logaddexp(0, x, out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            slope = logistic(x, context)
            return np.multiply(slope, dy, out=slope)

        return y, backward
