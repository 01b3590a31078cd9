"""The hyperbolic tangent: a smooth step from -1 to 1 through 0."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.elementwise import tanh
from nnfs_cli.pipeline.value import Value


class Tanh(Layer, name="tanh"):
    """Hyperbolic tangent: y = (exp(x) - exp(-x)) / (exp(x) + exp(-x)), element by element.

    Gradient: dx = (1 - y²) dy.
    Shapes: any; y as x.
    Source: LeCun et al., "Efficient BackProp" (1998), section 4.4.
    """

    examples = ("tanh",)
    output_range = (-1, 1)

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        y = np.tanh(x, out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            slope = np.multiply(y, y, out=context.empty(x.shape))
            np.subtract(1, slope, out=slope)
            return np.multiply(slope, dy, out=slope)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return tanh(x)."""
        return tanh(x)
