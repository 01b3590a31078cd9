"""A net cut behind its first linear map, before which every column of the table adds a part of its own.

Of many rows that share most of their columns, these parts are computed once, and only what follows for each row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Layer
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.dropout import Dropout
from nnfs_cli.nn.layers.identity import Identity
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.residual import Residual
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.parameters import Views

Rest = Callable[[Array, Context], Array]


class FirstLayer(NamedTuple):
    """The net is rest(x @ weight + bias): weight (members?, inputs, n), bias (members?, n)."""

    weight: Array
    bias: Array
    rest: Rest
    linear: bool  # whether nothing that is learned follows


def first_layer(layer: Layer, p: Views) -> FirstLayer | None:
    """Cut layers with the parameters `p` behind their first linear map; None if they do not begin with one."""
    if isinstance(layer, Linear):
        bias = p.bias if layer.bias else np.zeros_like(p.weight[..., 0, :])
        if isinstance(layer, Dense):
            return FirstLayer(p.weight, bias, _forward(layer.activation, p.activation), not p.activation)
        return FirstLayer(p.weight, bias, lambda z, context: z, linear=True)
    if type(layer) is Sequential:
        return _of_sequence(layer, tuple(p))
    if isinstance(layer, Residual) and hasattr(p, "projection"):
        return _of_residual(layer, p)
    return None


def _of_sequence(layer: Sequential, p: tuple[Views, ...]) -> FirstLayer | None:
    start = next((i for i, each in enumerate(layer.layers) if not isinstance(each, Dropout | Identity)), None)
    first = None if start is None else first_layer(layer.layers[start], p[start])
    if first is None or start is None:
        return None
    others = [_forward(*each) for each in zip(layer.layers[start + 1 :], p[start + 1 :], strict=True)]

    def rest(z: Array, context: Context) -> Array:
        y = first.rest(z, context)
        for forward in others:
            y = forward(y, context)
        return y

    return first._replace(rest=rest, linear=first.linear and not any(p[start + 1 :]))


def _of_residual(layer: Residual, p: Views) -> FirstLayer | None:
    """Put the shortcut beside the first linear map of the layers inside."""
    first = first_layer(layer.body, p)
    if first is None:
        return None
    n = first.weight.shape[-1]
    bias = np.concatenate([first.bias, np.zeros_like(p.projection[..., 0, :])], axis=-1)

    def rest(z: Array, context: Context) -> Array:
        f = first.rest(z[..., :n], context)
        return np.add(f, z[..., n:], out=context.empty(f.shape))

    return FirstLayer(np.concatenate([first.weight, p.projection], axis=-1), bias, rest, first.linear)


def _forward(layer: Layer, p: Views) -> Rest:
    return lambda x, context: layer.forward(p, x, context)[0]
