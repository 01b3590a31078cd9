"""A rectifier with a small slope below zero."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.elementwise import maximum, minimum, multiply
from nnfs_cli.pipeline.value import Value


class LeakyReLU(Layer, name="leaky_relu", main="slope"):
    """Leaky rectifier: y = x for x > 0, else slope · x, element by element.

    It is computed as the larger of x and slope · x, or as the smaller if the slope is above 1.
    Gradient: dx = dy where x > 0, else slope · dy.
    Shapes: any; y as x.
    Source: Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (2013).
    """

    examples = ("leaky_relu", "leaky_relu: 0.2")

    slope: NonNegativeFloat = Field(default=0.01, kw_only=False)
    """Slope below zero; 0 gives relu."""

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        y = np.multiply(x, self.slope, out=context.empty(x.shape))
        (np.maximum if self.slope <= 1 else np.minimum)(x, y, out=y)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            slopes = np.greater(
                x, context.zeros(x.shape), out=context.empty(x.shape)
            )  # 1 or 0, in the next line 1 or slope
            np.add(np.multiply(slopes, 1 - self.slope, out=slopes), self.slope, out=slopes)
            return np.multiply(slopes, dy, out=slopes)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return the larger of x and slope · x, or the smaller if the slope is above 1."""
        return (maximum if self.slope <= 1 else minimum)(x, multiply(x, self.slope))
