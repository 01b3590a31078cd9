"""Softplus: a smooth rectifier."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.elementwise import absolute, add, exp, log1p, maximum, negative
from nnfs_cli.pipeline.value import Value


class Softplus(Layer, name="softplus"):
    """Smooth rectifier: y = ln(1 + exp(x)), element by element.

    It is computed as max(x, 0) + ln(1 + exp(-|x|)), which does not overflow.
    Gradient: dx = sigmoid(x) · dy with sigmoid(x) = exp(x - y).
    Shapes: any; y as x.
    Source: Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing" (2001).
    """

    examples = ("softplus",)
    output_range = (0, np.inf)

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        y, work = softplus(x, context)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            slope = np.subtract(x, y, out=work)
            return np.multiply(np.exp(slope, out=slope), dy, out=slope)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return max(x, 0) + ln(1 + exp(-|x|))."""
        return softplus_operations(x)


def softplus(x: Array, context: Context) -> tuple[Array, Array]:
    """Return ln(1 + exp(x)) in a buffer, without overflow for any x, and a second buffer of this shape."""
    y, work = context.empty(x.shape), context.empty(x.shape)
    np.negative(np.abs(x, out=work), out=work)
    np.log1p(np.exp(work, out=work), out=work)
    np.add(work, np.maximum(x, context.zeros(x.shape), out=y), out=y)
    return y, work


def softplus_operations(x: Value) -> Value:
    """Return ln(1 + exp(x)) as operations of a pipeline, without overflow for any x."""
    return add(maximum(x, 0), log1p(exp(negative(absolute(x)))))
