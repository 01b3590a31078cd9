"""One member of an ensemble as a net of its own, in any number type, and its random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Draws
from nnfs_cli.nn.model import Model


def one_net(model: Model, member: int = 0, dtype: np.dtype[Any] | type | str | None = None) -> Model:
    """Return a copy of one member, or of a single net, with parameters of its own; by default in the same dtype."""
    embedding, layers = model.embedding, model.layers.layers
    one = Model(layers, model.loss, model.input_shape, dtype or model.dtype, None, embedding)
    one.parameters.vector[...] = model.parameters.vector[member] if model.members > 1 else model.parameters.vector
    return one


def same_draws(draws: Draws, member: int, dtype: np.dtype[Any]) -> Draws:
    """Return draws for a copy of one member: the numbers that a net of this dtype draws, whatever the copy's dtype."""

    def of_member() -> Any:
        made = draws()
        return [_Rounded(made if isinstance(made, np.random.Generator) else made[member], dtype)]

    return of_member


class _Rounded:
    """A random generator whose uniform numbers are drawn in one dtype and may be stored in another."""

    def __init__(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> None:
        self._rng, self._dtype = rng, dtype

    def random(self, out: Array, dtype: Any = None) -> Array:
        """Fill `out` with uniform numbers from 0 to 1."""
        out[...] = self._rng.random(out.shape, self._dtype.type)
        return out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rng, name)
