"""Probes: the one way to look inside a pass. An observer is shown what goes into and comes out of every layer.

Layers are observed in a copy of the net in which each one reports, at any depth; the net itself knows nothing of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import ConfigError
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.nn.places import SomeLayer, copied


class Observer:
    """An object that `Model.observed` tells of every layer in a pass. Override the methods that you need.

    A layer is told after the layers inside it. `path` is its place in the config: ``layers.0``, the second layer of a
    block ``layers.2.layers.1``, the activation of a dense layer ``layers.1.activation``, and ``embedding``. Arrays are
    buffers that the next pass overwrites: copy what must outlive this one, and change nothing.
    """

    def before(self, path: str, layer: Layer, p: Views, x: Array) -> None:
        """See the parameters of a layer and the batch x before it computes; the layers inside it come next."""

    def forward(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        """See the output y of a layer for the batch x, both (members?, batch, features...)."""

    def backward(self, path: str, layer: Layer, dy: Array, dx: Array | None, g: Views) -> None:
        """See dy = dL/dy, dx = dL/dx and the gradients `g` of a layer's parameters, for the loss L of the batch.

        dx is None where it is not computed, as in the first layer: training does not need the gradient with respect to
        the data. Layers before the first one that has parameters are not told of a backward pass at all.
        """


def observed(layer: SomeLayer, observer: Observer, path: str = "", leave_out: Layer | None = None) -> SomeLayer:
    """Return a copy of a layer that tells the observer of all layers inside it, and of itself if it has a path.

    It computes the same numbers. The observer is not told of the layer `leave_out`.
    """

    def report(place: str, original: Layer, copy: Layer) -> None:
        if original is not leave_out:
            # In the copy's own dictionary, the method hides that of its class, which super() still finds.
            vars(copy)["forward"] = _reporting(original, copy, observer, place)

    return copied(layer, report, path)


def _reporting(layer: Layer, copy: Layer, observer: Observer, path: str) -> Any:
    """Return the forward pass of a copy of the layer, which tells the observer."""
    layer_forward = copy.forward

    def forward(p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        observer.before(path, layer, p, x)
        result: object = layer_forward(p, x, context)
        if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
            raise contract_error(layer, "forward", "two things, the output y and the function backward", result)
        y, layer_backward = result
        if not isinstance(y, np.ndarray):
            raise contract_error(layer, "forward", "y as an array", y)
        observer.forward(path, layer, x, y)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dx: Array = layer_backward(dy, g, need_dx)
            if need_dx and not isinstance(dx, np.ndarray):
                raise contract_error(layer, "backward", "dx as an array", dx)
            observer.backward(path, layer, dy, dx if need_dx else None, g)
            return dx

        return y, backward

    return forward


def contract_error(layer: Layer, method: str, expected: str, found: object) -> ConfigError:
    """Return the error about a layer of the user's own whose method returns what no layer may return."""
    match found:
        case np.ndarray():
            what = f"an array of the shape {found.shape}, of {found.dtype}"
        case tuple():
            what = f"a tuple of {len(found)}"
        case _:
            what = f"{found!r:.40}"
    return ConfigError(f"the layer {layer.describe()}: {method} should return {expected}; it returned {what}")
