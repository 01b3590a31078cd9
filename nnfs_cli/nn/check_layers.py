"""Check that the layers of the user's own keep to the contract, with one pass over random rows before training."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array, Shape, member_axes
from nnfs_cli.errors import ConfigError
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Layer, built
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Views
from nnfs_cli.nn.probes import Observer, contract_error, observed
from nnfs_cli.system.ignored_warnings import ignored_warnings


def check_layers(model: Model) -> None:
    """Raise `ConfigError` if a layer of the user's own returns what no layer may return.

    Whatever else a layer raises for random rows is left to the training. The model and its random numbers stay as they
    are, and nets of built-in layers are not run.
    """
    if not any(part.is_own() for part in model.layers.walk()) or model.embedding is not None:
        return
    n, members = max(2, model.layers.min_batch_layer.min_batch), model.members
    rngs = [np.random.default_rng(j) for j in range(members)]
    context = Context(model.dtype, training=True, members=members)
    context.begin(n, lambda: rngs if members > 1 else rngs[0])
    x = rngs[0].standard_normal((*member_axes(members), n, *model.input_shape)).astype(model.dtype)
    parameters, gradients = copy.deepcopy((model.parameters, model.gradients))
    probe = _ContractProbe(context.axes)
    try:
        with ignored_warnings(), np.errstate(all="ignore"):
            y, backward = observed(model.layers, probe).forward(parameters.views, x, context)
            backward(np.ones_like(y), gradients.views, False)
    except ConfigError:
        raise
    except Exception:  # random rows may be outside the domain of a layer; the training will tell
        if probe.other_types:
            raise probe.other_types[0] from None


class _ContractProbe(Observer):
    """Check what own layers return. A number type that is not the net's is only recorded: some layers take it."""

    def __init__(self, axes: int) -> None:
        self.axes = axes
        self.other_types: list[ConfigError] = []
        self._inputs: dict[str, Array] = {}

    def forward(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        """Check the output."""
        if layer.is_own():
            self._inputs[path] = x
            shape = x.shape[: self.axes] + built(layer, x.shape[self.axes :])[0]
            self._check(layer, "forward", "y", y, shape, x.dtype)

    def backward(self, path: str, layer: Layer, dy: Array, dx: Array | None, g: Views) -> None:
        """Check the gradient by the input."""
        if layer.is_own() and dx is not None:
            x = self._inputs[path]
            self._check(layer, "backward", "dx", dx, x.shape, x.dtype)

    def _check(self, layer: Layer, method: str, name: str, array: Array, shape: Shape, dtype: np.dtype[Any]) -> None:
        if array.shape != shape:
            raise contract_error(layer, method, f"{name} of the shape {shape}", array)
        if array.dtype != dtype:
            self.other_types.append(contract_error(layer, method, f"{name} as {dtype}, the type of x", array))
