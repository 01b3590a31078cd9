"""Passes through a single layer, for tests."""

from __future__ import annotations

import numpy as np
import yaml

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers import Context, Layer
from nnfs_cli.nn.parameters import Parameters


def resolved(text: str) -> Layer:
    """The layer that a config would name."""
    return Layer.resolve(yaml.safe_load(text))


def learning(rows: int, seed: int | None = 0, dtype: str = "float64", members: int = 1) -> Context:
    """The context of a training pass, with random generators if there is a seed."""
    context = Context(dtype, training=True, members=members)
    context.begin(rows, None if seed is None else lambda: [np.random.default_rng(seed) for _ in range(members)])
    return context


def forward(layer: Layer, x: Array, seed: int = 0) -> tuple[Array, Parameters]:
    _, tree = layer.build(x.shape[1:])
    parameters = Parameters(tree, x.dtype)
    parameters.initialize(np.random.default_rng(seed))
    context = Context(x.dtype)
    context.begin(len(x))
    return layer.forward(parameters.views, x, context)[0], parameters
