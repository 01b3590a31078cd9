"""Learned vectors for words: what stands before the first layer of a net where preprocessing says `embedding`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnfs_cli.initializers import Normal
from nnfs_cli.layers.base import Backward, Context, Layer
from nnfs_cli.parameters import Array, ParameterSpec, ParameterTree, Shape, Views


class Vectors(NamedTuple):
    """A table of `rows` vectors of this `width`, for the codes that stand in input `place`."""

    place: int
    rows: int
    width: int
    name: str


class Lookup(Layer):
    """Inputs that are codes become vectors: y = the other inputs, then weight[code] for each table.

    (batch, n_inputs) -> (batch, n_inputs - tables + the tables' widths). A negative code gives zeros.
    Parameters: `lookup.<column>.weight` (rows, width) for each table.
    Source: Guo and Berkhahn, "Entity Embeddings of Categorical Variables" (2016).
    """

    tables: tuple[Vectors, ...]

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """A table of weights for each column of codes."""
        width = input_shape[0] + sum(table.width - 1 for table in self.tables)
        init = Normal(std=0.1)
        return (width,), {
            table.name: {"weight": ParameterSpec((table.rows, table.width), init, table.rows, table.width, decays=True)}
            for table in self.tables
        }

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """The vectors stand behind the other inputs, in the order of the tables."""
        plain = [i for i in range(x.shape[-1]) if i not in {table.place for table in self.tables}]
        y = context.empty((len(x), len(plain) + sum(table.width for table in self.tables)))
        y[:, : len(plain)] = x[:, plain]
        looked_up, start = [], len(plain)
        for table, views in zip(self.tables, p, strict=True):
            codes = x[:, table.place].astype(np.intp)
            vectors = y[:, start : start + table.width]
            vectors[...] = views.weight[codes]
            vectors[codes < 0] = 0
            looked_up.append((codes, slice(start, start + table.width)))
            start += table.width

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            for (codes, columns), views in zip(looked_up, g, strict=True):
                views.weight[...] = 0
                known = codes >= 0
                np.add.at(views.weight, codes[known], dy[known, columns])
            return dy

        return y, backward
