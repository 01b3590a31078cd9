"""A probe that finds the first number in a pass that is not finite."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views


class NanProbe:
    """Wrap a layer and record in `found` the first array that is not finite, if none is recorded yet."""

    def __init__(self, layer: Layer, name: str, found: list[str]) -> None:
        self.layer, self.name, self.found = layer, name, found

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """Run the layer's forward pass and check its output; the backward pass checks the gradients."""
        y, layer_backward = self.layer.forward(p, x, context)
        self._check(y, "output")

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            self._check(dy, "gradient of the loss by the output")
            dx = layer_backward(dy, g, need_dx)
            for array in _arrays(g):
                self._check(array, "gradient")
            return dx

        return y, backward

    def _check(self, array: Array, what: str) -> None:
        if not self.found and not np.isfinite(array).all():
            self.found.append(f"in the {what} of {self.name}")


def _arrays(views: Views) -> list[Array]:
    """Return all arrays of a layer and the layers inside it."""
    return [
        array
        for item in vars(views).values()
        for array in ([item] if isinstance(item, np.ndarray) else _arrays(item) if isinstance(item, Views) else [])
    ]
