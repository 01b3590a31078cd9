"""Record what one member does in a step on a batch of a given size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Layer
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Views
from nnfs_cli.nn.places import copied
from nnfs_cli.training.compiled import products, steps
from nnfs_cli.training.compiled.losses import loss_twin_of
from nnfs_cli.training.compiled.recorder import Recorder, twin_of


@dataclass(frozen=True)
class Rows:
    """The rows that a member trains on, and those of each step: its batch is order[starts[s] : starts[s + 1]]."""

    X: Array
    y: Array
    weight: Array | None  # (rows,) of this member
    order: Array
    starts: Array

    def record(self, whole: Array, n: int, step: Array, recorder: Recorder) -> Array:
        """Record the copying of the n rows of a step from one of these arrays, and return the buffer of the copy."""
        out = recorder.empty((n, *whole.shape[1:]))
        width = out.size // n
        recorder.record(products.gather, n, out, whole, width, self.order, self.starts, step, each=width)
        return out


def recordable(layer: Layer) -> Layer:
    """Return a copy of a net in which every layer records, by its twin."""

    def replace(place: str, original: Layer, copy: Layer) -> None:
        vars(copy)["forward"] = partial(twin_of(original), copy)

    return copied(layer, replace, path="net")


def record_pass(
    net: Layer, model: Model, views: tuple[Views, Views], gradient: Array, rows: Rows, n: int, weight_of_step: float,
    step: Array, results: Array, recorder: Recorder,
) -> None:  # fmt: skip
    """Record the pass that writes the gradient of a batch of n rows, and its loss into `results`.

    `views` are those of the parameters and of their gradients, and `gradient` is the vector that the latter look into.
    `weight_of_step` is the weight of all rows of the step if each has the mean weight.
    """
    recorder.begin(n)
    x, y = (rows.record(whole, n, step, recorder) for whole in (rows.X, rows.y))
    factor = float(model.loss.row_weight(weight_of_step))
    counts, weight = recorder.empty((n,)), recorder.ones(n)
    if rows.weight is None:
        recorder.record(steps.fill, n, counts, factor)
    else:
        weight = rows.record(rows.weight, n, step, recorder)
        recorder.record(steps.scale, n, counts, weight, factor)
    p, g = views
    z, backward = net.forward(p, x, recorder)
    twin = loss_twin_of(model.loss, model.fused)
    losses, loss_backward = twin(model.loss, z, y, recorder)
    recorder.record(steps.total, 1, results, step, losses, weight, n)
    backward(loss_backward(counts), g, False)
    recorder.record(steps.require_finite, gradient.size, step, gradient, each=1)
