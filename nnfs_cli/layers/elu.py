"""The exponential linear unit: a rectifier that bends smoothly towards a floor below zero."""

from __future__ import annotations

import numpy as np

from nnfs_cli.layers.base import Backward, Context, Layer
from nnfs_cli.parameters import Array, Views
from nnfs_cli.settings import PositiveFloat


class ELU(Layer, name="elu", main="alpha"):
    """Exponential linear unit: y = x for x > 0, else alpha · (exp(x) - 1), element by element.

    Gradient: dx = dy where x > 0, else alpha · exp(x) · dy.
    Shapes: any; y has that of x.
    Source: Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by ELUs" (2016).
    """

    examples = ("elu", "elu: 0.5")

    alpha: PositiveFloat = 1.0
    """How far below zero it bends: to -alpha."""

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> the same."""
        y, slope = exponential_linear(x, context, 1.0, self.alpha)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            return np.multiply(slope, dy, out=slope)

        return y, backward


def exponential_linear(x: Array, context: Context, scale: float, alpha: float) -> tuple[Array, Array]:
    """Return y = scale · x for x > 0, else scale · alpha · (exp(x) - 1), and its slope dy/dx, both in buffers."""
    positive = np.greater(x, 0, out=context.empty(x.shape, bool))
    y = np.minimum(x, 0, out=context.empty(x.shape))
    np.multiply(np.expm1(y, out=y), scale * alpha, out=y)
    slope = np.add(y, scale * alpha, out=context.empty(x.shape))
    np.copyto(slope, scale, where=positive)
    np.multiply(x, scale, out=y, where=positive)
    return y, slope
