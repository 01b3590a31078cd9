"""A layer that is watched for the first number that is not finite."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward, Context, Layer
from nnfs_cli.nn.parameters import Views


class Observed:
    """Passes on what the layer does, and notes in `found`, while it is empty, where something is not finite."""

    def __init__(self, layer: Layer, name: str, found: list[str]) -> None:
        self.layer, self.name, self.found = layer, name, found

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """Those of the layer."""
        y, layer_backward = self.layer.forward(p, x, context)
        self._look(y, "output")

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            self._look(dy, "gradient of the loss by the output")
            dx = layer_backward(dy, g, need_dx)
            for array in _arrays(g):
                self._look(array, "gradient")
            return dx

        return y, backward

    def _look(self, array: Array, what: str) -> None:
        if not self.found and not np.isfinite(array).all():
            self.found.append(f"in the {what} of {self.name}")


def _arrays(views: Views) -> list[Array]:
    return [
        array
        for item in vars(views).values()
        for array in ([item] if isinstance(item, np.ndarray) else _arrays(item) if isinstance(item, Views) else [])
    ]
