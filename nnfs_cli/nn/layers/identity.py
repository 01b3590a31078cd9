"""The layer that does nothing, for the places where one must stand."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views


class Identity(Layer, name="identity"):
    """Pass everything on: y = x.

    Gradient: dx = dy.
    Shapes: any; y has that of x.
    Source: PyTorch's `nn.Identity`.
    """

    examples = ("identity",)
    passes_on = True

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> the same."""
        return x, lambda dy, g, need_dx: dy
