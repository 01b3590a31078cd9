"""The layer that changes nothing, for places that require a layer."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.value import Value


class Identity(Layer, name="identity"):
    """Identity function: y = x.

    Gradient: dx = dy.
    Shapes: any; y as x.
    Source: PyTorch's `nn.Identity`.
    """

    examples = ("identity",)
    by_entry = (
        "y = x",
        "dx = dy",
    )
    preserves_range = True

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        return x, lambda dy, g, need_dx: dy

    def operations(self, p: Views, x: Value) -> Value:
        """Return x."""
        return x
