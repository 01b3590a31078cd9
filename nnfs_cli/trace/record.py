"""Record what one pass through a net computes, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.embedding import Embedding
from nnfs_cli.nn.entry_formulas import Numbers, constants
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.parameters import Views, flat
from nnfs_cli.nn.probes import Observer


@dataclass
class LayerRecord:
    """What a layer received and computed in one pass, copied; what the pass did not come to is None or empty."""

    path: str
    layer: Layer
    p: Views
    x: Array
    y: Array = field(default_factory=lambda: np.empty(0))  # empty only until the layer has computed it
    dy: Array | None = None
    dx: Array | None = None
    parameters: dict[str, Array] = field(default_factory=dict)  # as they were in the pass
    gradients: dict[str, Array] = field(default_factory=dict)  # of the learned ones, by the same names
    inner: list[LayerRecord] = field(default_factory=list)  # the layers inside it, in the order of the forward pass
    depth: int = 0

    def numbers(self) -> Numbers:
        """Return what the formulas of the layer may name."""
        batch = {"x": self.x, "y": self.y, "dy": self.dy, "dx": self.dx}
        # If the loss includes the activation of a dense layer, that layer returns what the activation would receive.
        batch |= {"z": self.y, "dz": self.dy}
        if self.inner:
            first, last = self.inner[0], self.inner[-1]
            batch |= {"z": first.x, "dz": first.dx, "f": last.y, "df": first.dx}
        rows = {name: array for name, array in batch.items() if array is not None}
        fixed: dict[str, Array | float] = {**constants(self.layer), **self.parameters}
        fixed |= {f"d{name}": array for name, array in self.gradients.items()}
        for name, value in self.layer.named_numbers(self.x, self.y).items():
            if isinstance(value, np.ndarray) and value.ndim == self.x.ndim:
                rows[name] = value
            else:
                fixed[name] = value
        return Numbers(rows, fixed)


class Recorder(Observer):
    """Keep a record of every layer of a pass: those at the top, and inside each the layers that it holds."""

    def __init__(self) -> None:
        self.top: list[LayerRecord] = []
        self._open: list[LayerRecord] = []
        self._by_path: dict[str, LayerRecord] = {}

    def walk(self) -> list[LayerRecord]:
        """Return all records, each before those inside it."""
        return list(self._by_path.values())

    def before(self, path: str, layer: Layer, p: Views, x: Array) -> None:
        """Begin the record of a layer."""
        record = LayerRecord(path, layer, p, x.copy(), depth=len(self._open))
        record.parameters = {name: array.copy() for name, array in own_arrays(layer, p).items()}
        (self._open[-1].inner if self._open else self.top).append(record)
        self._open.append(record)
        self._by_path[path] = record

    def forward(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        """Keep the output."""
        self._open.pop().y = y.copy()

    def backward(self, path: str, layer: Layer, dy: Array, dx: Array | None, g: Views) -> None:
        """Keep the gradients."""
        record = self._by_path[path]
        record.dy, record.dx = dy.copy(), None if dx is None else dx.copy()
        record.gradients = {name: array.copy() for name, array in own_arrays(record.layer, g).items()}


def own_arrays(layer: Layer, views: Views) -> dict[str, Array]:
    """Return a layer's own arrays by name, without those of the layers inside it."""
    if isinstance(layer, Embedding):  # its tables are no layers
        return flat(views)
    return {name: item for name, item in vars(views).items() if isinstance(item, np.ndarray)}
