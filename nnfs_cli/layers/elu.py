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

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> the same."""
        positive = np.greater(x, 0, out=context.empty(x.shape, bool))
        y = np.minimum(x, 0, out=context.empty(x.shape))
        np.multiply(np.expm1(y, out=y), self.alpha, out=y)
        slope = np.add(y, self.alpha, out=context.empty(x.shape))
        np.copyto(slope, 1, where=positive)
        np.copyto(y, x, where=positive)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            return np.multiply(slope, dy, out=slope)

        return y, backward
