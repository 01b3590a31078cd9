"""What the layers of a net do in its first pass, before any step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Views
from nnfs_cli.nn.probes import Observer
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.system.random import random_stream

FLAT = 0.99  # an output of tanh beyond this, or of sigmoid beyond the same share of its range, is saturated


@dataclass(frozen=True)
class Activity:
    """What the units of an activation do on a sample of rows: how many there are, and which share is useless.

    A unit of relu is dead if it gives 0 on every row. A unit of sigmoid or tanh is saturated if its output lies at an
    end of the range on 9 of 10 rows.
    """

    layer: str
    units: int
    dead: float | None = None
    saturated: float | None = None


@dataclass
class Start:
    """What was seen in the first pass: the loss, the activity of each activation, and gradients by layer."""

    loss: float = np.nan  # mean over the rows
    activity: dict[str, Activity] = field(default_factory=dict)  # by the place of the layer, from first to last
    gradients: dict[str, float] = field(default_factory=dict)  # the norm of dL/dW of each layer with weights, likewise


def observe_start(model: Model, rows: EncodedRows) -> Start:
    """Make one pass with the rows of a sample, and return what was seen."""
    start, watcher = Start(), _Watcher()
    with model.observed(watcher), np.errstate(all="ignore"):
        total = model.differentiate(rows.X, rows.y, rows.weight, lambda: random_stream(0, "doctor"))
    start.loss = total / (len(rows) if rows.weight is None else float(rows.weight.sum(dtype=np.float64)) or 1.0)
    start.activity = watcher.activity
    start.gradients = dict(reversed(watcher.gradients.items()))
    return start


class _Watcher(Observer):
    def __init__(self) -> None:
        self.activity: dict[str, Activity] = {}
        self.gradients: dict[str, float] = {}

    def forward(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        """Record which units are dead or saturated."""
        units = y.reshape(-1, y.shape[-1])
        if isinstance(layer, ReLU):
            self.activity[path] = Activity(layer.name, y.shape[-1], dead=float((units <= 0).all(axis=0).mean()))
        elif isinstance(layer, Tanh | Sigmoid):
            flat = np.abs(units if isinstance(layer, Tanh) else 2 * units - 1) > FLAT
            self.activity[path] = Activity(layer.name, y.shape[-1], saturated=float((flat.mean(axis=0) > 0.9).mean()))

    def backward(self, path: str, layer: Layer, dy: Array, dx: Array | None, g: Views) -> None:
        """Record the norm of the gradient of a layer's own weights."""
        weight = vars(g).get("weight")
        if isinstance(weight, np.ndarray) and weight.ndim > 1:
            self.gradients[path] = float(np.linalg.norm(weight.astype(np.float64)))
