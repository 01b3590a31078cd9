"""The exponential linear unit: a rectifier that bends smoothly towards -alpha below zero."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.elementwise import add, expm1, maximum, minimum, multiply
from nnfs_cli.pipeline.value import Value


class ELU(Layer, name="elu", main="alpha"):
    """Exponential linear unit: y = x for x > 0, else alpha · (exp(x) - 1), element by element.

    Gradient: dx = dy where x > 0, else alpha · exp(x) · dy.
    Shapes: any; y as x.
    Source: Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by ELUs" (2016).
    """

    examples = ("elu", "elu: 0.5")

    alpha: PositiveFloat = Field(default=1.0, kw_only=False)
    """Depth of the bend: the output approaches -alpha for very negative inputs."""

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        return exponential_linear(x, context, 1.0, self.alpha)

    def operations(self, p: Views, x: Value) -> Value:
        """Return max(x, 0) + alpha · (exp(min(x, 0)) - 1)."""
        return exponential_linear_operations(x, 1.0, self.alpha)


def exponential_linear(x: Array, context: Context, scale: float, alpha: float) -> tuple[Array, Backward]:
    """Return y = scale · x for x > 0, else scale · alpha · (exp(x) - 1), and its backward pass.

    The positive part is 0 where x < 0, and the negative part is 0 where x > 0, so y is their sum.
    """
    zeros, depth = context.zeros(x.shape), scale * alpha
    below = np.minimum(x, zeros, out=context.empty(x.shape))
    np.multiply(np.expm1(below, out=below), depth, out=below)
    y = np.maximum(x, zeros, out=context.empty(x.shape))
    np.add(np.multiply(y, scale, out=y), below, out=y)

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        slope = np.add(below, depth, out=below)  # right for x <= 0, too large by depth - scale for x > 0
        if depth != scale:
            above = np.greater(x, zeros, out=context.empty(x.shape))
            np.subtract(slope, np.multiply(above, depth - scale, out=above), out=slope)
        return np.multiply(slope, dy, out=slope)

    return y, backward


def exponential_linear_operations(x: Value, scale: float, alpha: float) -> Value:
    """Return `exponential_linear` as operations of a pipeline."""
    above = maximum(x, 0)
    below = multiply(expm1(minimum(x, 0)), scale * alpha)
    return add(above if scale == 1 else multiply(above, scale), below)
