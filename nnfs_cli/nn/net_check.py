"""Check all gradients of a net on one batch: of the whole net by each parameter, and of each layer by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Draws
from nnfs_cli.nn.differences import sample
from nnfs_cli.nn.gradient_check import compare_entries
from nnfs_cli.nn.layer_check import ArrayCheck, LayerCheck, check_layer, check_loss
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Views
from nnfs_cli.nn.probes import Observer

NET_ENTRIES = 10  # entries of each parameter that are compared through the whole net, at most


@dataclass(frozen=True)
class NetCheck:
    """The checks of a net: of each layer by itself, of the loss, and of each parameter through the whole net.

    Layers are in the order of the config, those inside another one after it. `parameters` are by full name: 0.weight.
    """

    layers: tuple[LayerCheck, ...]
    loss: LayerCheck
    parameters: tuple[ArrayCheck, ...]

    @property
    def blamed(self) -> tuple[LayerCheck, ...]:
        """The layers and the loss that are wrong by themselves, not by a layer inside them."""
        wrong = [check for check in (*self.layers, self.loss) if check.wrong]
        return tuple(check for check in wrong if not any(other.path.startswith(f"{check.path}.") for other in wrong))

    @property
    def wrong(self) -> bool:
        """Whether any gradient is wrong."""
        return bool(self.blamed) or any(array.wrong for array in self.parameters)


@np.errstate(all="ignore")  # the numbers show an overflow
def check_net(
    model: Model, x: Array, y: Array, weight: Array | None = None, draws: Draws | None = None, seed: int = 0
) -> NetCheck:
    """Return the checks of a float64 net without members, on the batch x, y and `weight` of `Model.differentiate`.

    `draws` makes the random numbers of layers such as dropout, the same at every call. The model is not changed.
    """
    rng, running = np.random.default_rng(seed), model.parameters.vector.copy()
    inputs = _Inputs()
    with model.observed(inputs):
        model.differentiate(x, y, weight, draws)
    layers = [
        check_layer(path, seen.layer, seen.p, seen.x, rng, draws, by_input=path != "embedding")
        for path, seen in inputs.seen.items()
    ]
    loss = check_loss(model.loss, model.fused, inputs.outputs if layers else x, y, rng)
    parameters = _parameters(model, x, y, weight, draws, rng)
    model.parameters.vector[...] = running
    return NetCheck(tuple(layers), loss, tuple(parameters))


def _parameters(
    model: Model, x: Array, y: Array, weight: Array | None, draws: Draws | None, rng: np.random.Generator
) -> list[ArrayCheck]:
    indices = {name: sample(array.shape, NET_ENTRIES, rng) for name, array in model.gradients.arrays.items()}
    entries = compare_entries(model, x, y, weight, draws, where=indices)
    largest = max((abs(one.numerical) for several in entries.values() for one in several if not one.kink), default=0.0)
    return [ArrayCheck(name, tuple(several), largest or 1.0) for name, several in entries.items()]


class _Seen(NamedTuple):
    layer: Layer
    p: Views
    x: Array


class _Inputs(Observer):
    """Keep what each layer receives, and the outputs of the last layer that ends."""

    def __init__(self) -> None:
        self.seen: dict[str, _Seen] = {}
        self.outputs: Array = np.empty(0)

    def before(self, path: str, layer: Layer, p: Views, x: Array) -> None:
        """Keep the input."""
        self.seen[path] = _Seen(layer, p, x.copy())

    def forward(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        """Keep the output, over that of the layer before."""
        self.outputs = y.copy()
