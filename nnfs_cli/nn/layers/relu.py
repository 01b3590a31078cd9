"""The rectifier: it keeps positive numbers and sets all others to zero."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.elementwise import maximum
from nnfs_cli.pipeline.value import Value


class ReLU(Layer, name="relu"):
    """Rectified linear unit: y = max(x, 0), element by element.

    Gradient: dx = dy where x > 0, else 0; at x = 0 this is the subgradient 0.
    Shapes: any; y as x.
    Source: Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines" (2010).
    """

    examples = ("relu",)
    output_range = (0, np.inf)

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        zeros = context.zeros(x.shape)
        y = np.maximum(x, zeros, out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            slope = np.greater(y, zeros, out=context.empty(x.shape))
            return np.multiply(slope, dy, out=slope)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return max(x, 0)."""
        return maximum(x, 0)
