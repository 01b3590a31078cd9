"""Softplus: a rectifier without the corner."""

from __future__ import annotations

import numpy as np

from nnfs_cli.layers.base import Backward, Context, Layer
from nnfs_cli.parameters import Array, Views


class Softplus(Layer, name="softplus"):
    """Smooth rectifier: y = ln(1 + exp(x)), element by element.

    Computed as max(x, 0) + ln(1 + exp(-|x|)), which does not overflow.
    Gradient: dx = sigmoid(x) · dy with sigmoid(x) = exp(x - y).
    Shapes: any; y has that of x.
    Source: Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing" (2001).
    """

    examples = ("softplus",)
    output_range = (0, np.inf)

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> the same."""
        y, rest = np.abs(x, out=context.empty(x.shape)), context.empty(x.shape)
        np.exp(np.negative(y, out=y), out=y)
        np.log1p(y, out=y)
        np.add(np.maximum(x, context.zeros(x.shape), out=rest), y, out=y)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            slope = np.subtract(x, y, out=rest)
            return np.multiply(np.exp(slope, out=slope), dy, out=slope)

        return y, backward
