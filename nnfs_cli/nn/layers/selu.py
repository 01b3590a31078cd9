"""The scaled exponential linear unit: it keeps signals in deep nets at mean 0 and variance 1."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.layers.elu import exponential_linear, exponential_linear_operations
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.value import Value

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # with these, mean 0 and variance 1 are a fixed point


class SELU(Layer, name="selu"):
    """Scaled exponential linear unit: y = SCALE · x for x > 0, else SCALE · ALPHA · (exp(x) - 1), element by element.

    Use it with weights from lecun_normal.
    Gradient: dx = SCALE · dy where x > 0, else SCALE · ALPHA · exp(x) · dy.
    Shapes: any; y as x.
    Source: Klambauer et al., "Self-Normalizing Neural Networks" (2017).
    """

    examples = ("selu",)

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        return exponential_linear(x, context, SCALE, ALPHA)

    def operations(self, p: Views, x: Value) -> Value:
        """Return SCALE · max(x, 0) + SCALE · ALPHA · (exp(min(x, 0)) - 1)."""
        return exponential_linear_operations(x, SCALE, ALPHA)
