"""Check that the layers of the user's own keep to the contract, with one pass over random rows before training."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array, Shape, member_axes
from nnfs_cli.errors import ConfigError
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer, built
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import ParameterTree, Views
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
    other_types: list[ConfigError] = []
    try:
        with ignored_warnings(), np.errstate(all="ignore"):
            y, backward = _probed(model.layers, other_types).forward(parameters.views, x, context)
            backward(np.ones_like(y), gradients.views, False)
    except ConfigError:
        raise
    except Exception:  # random rows may be outside the domain of a layer; the training will tell
        if other_types:
            raise other_types[0] from None


class _Probe(Layer):
    """A layer whose results are checked. A number type that is not the net's is only recorded: some layers take it."""

    layer: Any
    other_types: Any

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Build the layer."""
        return built(self.layer, input_shape)

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """Run the forward pass and check what it returns; the backward pass does the same."""
        result = self.layer.forward(p, x, context)
        if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
            raise self._fault("forward", "two things, the output y and the function backward", result)
        y, layer_backward = result
        shape = x.shape[: context.axes] + self.layer.build(x.shape[context.axes :])[0]
        self._check("forward", "y", y, shape, x.dtype)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dx: Array = layer_backward(dy, g, need_dx)
            if need_dx:
                self._check("backward", "dx", dx, x.shape, x.dtype)
            return dx

        return y, backward

    def _check(self, method: str, name: str, array: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        if not isinstance(array, np.ndarray):
            raise self._fault(method, f"{name} as an array", array)
        if array.shape != shape:
            raise self._fault(method, f"{name} of the shape {shape}", array)
        if array.dtype != dtype:
            self.other_types.append(self._fault(method, f"{name} as {dtype}, the type of x", array))

    def _fault(self, method: str, expected: str, found: object) -> ConfigError:
        match found:
            case np.ndarray():
                what = f"an array of the shape {found.shape}, of {found.dtype}"
            case tuple():
                what = f"a tuple of {len(found)}"
            case _:
                what = f"{found!r:.40}"
        return ConfigError(f"the layer {self.layer.describe()}: {method} should return {expected}; it returned {what}")


def _probed(layer: Layer, other_types: list[ConfigError]) -> Layer:
    """Return a layer in which those of the user's own, at any depth, are probes."""
    if layer.is_own():
        return _Probe(layer=layer, other_types=other_types)
    update: dict[str, Any] = {}
    for name in type(layer).model_fields:
        match getattr(layer, name):
            case Layer() as inner:
                update[name] = _probed(inner, other_types)
            case tuple() as several if any(isinstance(one, Layer) for one in several):
                update[name] = tuple(_probed(one, other_types) for one in several)
    return layer.model_copy(update=update) if update else layer
