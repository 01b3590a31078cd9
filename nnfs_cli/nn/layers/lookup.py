"""Learned vectors for words: what stands before the first layer of a net where preprocessing says `embedding`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.initializers import Normal
from nnfs_cli.nn.layers.base import Backward, Context, Layer
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views


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
        fans, init = {table.name: (table.rows, table.width) for table in self.tables}, Normal(std=0.1)
        tree = {name: {"weight": ParameterSpec(shape, init, *shape, decays=True)} for name, shape in fans.items()}
        return (input_shape[0] + sum(width - 1 for _, width in fans.values()),), tree

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """The vectors stand behind the other inputs, in the order of the tables."""
        *lead, n = x.shape
        y, looked_up, end = context.empty((*lead, n + sum(table.width - 1 for table in self.tables))), list[Any](), 0
        for left, right in pairwise([-1, *sorted(table.place for table in self.tables), n]):  # what is between codes
            start, end = end, end + right - left - 1
            y[..., start:end] = x[..., left + 1 : right]
        for table, views in zip(self.tables, p, strict=True):  # codes are in range; "clip" lets take fill its buffer
            codes = np.maximum(x[..., table.place], 0, out=context.empty((*lead,), np.intp), casting="unsafe")
            if len(lead) > 1:  # the tables of members stand one below the other
                np.add(codes, table.rows * context.indices(lead[0])[:, None], out=codes)
            rows, vectors = views.weight.reshape(-1, table.width), context.empty((*lead, table.width))
            np.take(rows, codes, 0, vectors, "clip")
            known = np.greater_equal(x[..., table.place], 0, out=context.empty((*lead,)))[..., None]
            columns, end = slice(end, end + table.width), end + table.width
            np.multiply(vectors, known, out=y[..., columns])
            looked_up.append((codes, known, vectors, columns))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            for (codes, known, vectors, columns), views in zip(looked_up, g, strict=True):
                dvectors, width = np.multiply(dy[..., columns], known, out=vectors), vectors.shape[-1]
                np.multiply(codes, width, out=codes)  # NumPy adds number by number several times as fast as by rows
                indices = np.add(codes[..., None], context.indices(width), out=context.empty(vectors.shape, np.intp))
                views.weight.fill(0)
                flat = views.weight.reshape(-1)
                np.add.at(flat, indices.reshape(-1), dvectors.reshape(-1))
                if len(lead) > 1:  # then it is a copy
                    views.weight[...] = flat.reshape(views.weight.shape)
            return dy

        return y, backward
