"""A rectifier that lets a little of what is negative through."""

from __future__ import annotations

import numpy as np

from nnfs_cli.layers.base import Backward, Context, Layer
from nnfs_cli.parameters import Array, Views
from nnfs_cli.settings import NonNegativeFloat


class LeakyReLU(Layer, name="leaky_relu", main="slope"):
    """Leaky rectifier: y = x for x > 0, else slope · x, element by element.

    Gradient: dx = dy where x > 0, else slope · dy.
    Shapes: any; y has that of x.
    Source: Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (2013).
    """

    examples = ("leaky_relu", "leaky_relu: 0.2")

    slope: NonNegativeFloat = 0.01
    """Of the part below zero; 0 makes it relu."""

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> the same."""
        slopes = context.empty(x.shape)
        slopes.fill(1)
        np.copyto(slopes, self.slope, where=np.less_equal(x, 0, out=context.empty(x.shape, bool)))
        y = np.multiply(slopes, x, out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            return np.multiply(slopes, dy, out=slopes)

        return y, backward
