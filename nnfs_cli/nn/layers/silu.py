"""The sigmoid linear unit, also called swish: it weighs each number by its sigmoid."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.layers.sigmoid import logistic
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.elementwise import multiply, sigmoid
from nnfs_cli.pipeline.value import Value


class SiLU(Layer, name="silu"):
    """Sigmoid linear unit: y = x · s with s = sigmoid(x), element by element.

    Gradient: dx = s (1 + x (1 - s)) dy = (s + y (1 - s)) dy.
    Shapes: any; y as x.
    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016); Elfwing, Uchibe and Doya (2018).
    """

    examples = ("silu",)
    by_entry = (
        "y = x · sigmoid(x)",
        "dx = (sigmoid(x) + y (1 - sigmoid(x))) dy",
    )

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        s = logistic(x, context)
        y = np.multiply(x, s, out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            slope = np.subtract(1, s, out=context.empty(x.shape))
            np.add(np.multiply(slope, y, out=slope), s, out=slope)
            return np.multiply(slope, dy, out=slope)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return x · sigmoid(x)."""
        return multiply(x, sigmoid(x))
