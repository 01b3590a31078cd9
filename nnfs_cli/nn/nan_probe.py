"""A probe that finds the first number in a pass that is not finite."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Layer
from nnfs_cli.nn.parameters import Views, flat
from nnfs_cli.nn.probes import Observer


class NanProbe(Observer):
    """Keep in `found` where the first array of a pass lies that is not finite; it is empty until there is one."""

    def __init__(self) -> None:
        self.found = ""

    def forward(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        """Check the output."""
        self._check(y, "output", path, layer)

    def backward(self, path: str, layer: Layer, dy: Array, dx: Array | None, g: Views) -> None:
        """Check the gradients."""
        self._check(dy, "gradient of the loss by the output", path, layer)
        for array in flat(g).values():
            self._check(array, "gradient", path, layer)

    def _check(self, array: Array, what: str, path: str, layer: Layer) -> None:
        if not self.found and not np.isfinite(array).all():
            self.found = f"in the {what} of {path} ({layer.describe()})"
