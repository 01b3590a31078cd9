"""The logistic function: it turns any number into a probability."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.elementwise import sigmoid
from nnfs_cli.pipeline.value import Value


class Sigmoid(Layer, name="sigmoid"):
    """Logistic function: y = 1 / (1 + exp(-x)), element by element.

    It is computed from e = exp(-|x|), which never overflows: 1 / (1 + e) for x >= 0, e / (1 + e) for x < 0.
    Gradient: dx = y (1 - y) dy.
    Shapes: any; y as x.
    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 3.10.
    """

    examples = ("sigmoid",)
    output_range = (0, 1)

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        y = logistic(x, context)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            slope = np.subtract(1, y, out=context.empty(x.shape))
            np.multiply(slope, y, out=slope)
            return np.multiply(slope, dy, out=slope)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return 1 / (1 + exp(-x))."""
        return sigmoid(x)


def logistic(x: Array, context: Context) -> Array:
    """Return 1 / (1 + exp(-x)) in a buffer, without overflow for any x."""
    decay = np.abs(x, out=context.empty(x.shape))
    np.exp(np.negative(decay, out=decay), out=decay)
    y = np.greater_equal(x, context.zeros(x.shape), out=context.empty(x.shape))
    np.maximum(y, decay, out=y)  # 1 for x >= 0, decay below
    return np.divide(y, np.add(decay, 1, out=decay), out=y)
