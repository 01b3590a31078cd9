"""Learned vectors for words: what stands before the first layer of a net where preprocessing says `embedding`."""

from __future__ import annotations

from itertools import pairwise
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
        lead = x.shape[:-1]
        y = context.empty((*lead, x.shape[-1] + sum(table.width - 1 for table in self.tables)))
        places, end = sorted(table.place for table in self.tables), 0
        for left, right in pairwise([-1, *places, x.shape[-1]]):  # what stands between the codes
            start, end = end, end + right - left - 1
            y[..., start:end] = x[..., left + 1 : right]
        looked_up = []
        for table, views in zip(self.tables, p, strict=True):
            codes = np.maximum(x[..., table.place], 0, out=context.empty(lead, np.intp), casting="unsafe")
            if len(lead) > 1:  # the members' tables stand one below the other
                np.add(codes, table.rows * context.indices(lead[0])[:, None], out=codes)
            # The codes are in range, and "clip" lets take write straight into its buffer.
            weight = views.weight.reshape(-1, table.width)
            vectors = np.take(weight, codes, 0, context.empty((*lead, table.width)), "clip")
            known = np.greater_equal(x[..., table.place], 0, out=context.empty(lead))[..., None]
            start, end = end, end + table.width
            np.multiply(vectors, known, out=y[..., start:end])
            looked_up.append((codes, known, vectors, slice(start, end)))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            for (codes, known, vectors, columns), views in zip(looked_up, g, strict=True):
                dvectors = np.multiply(dy[..., columns], known, out=vectors)
                # NumPy adds number by number, by their indices in the flat table, several times as fast as by rows.
                width = vectors.shape[-1]
                first = np.multiply(codes, width, out=codes)[..., None]
                indices = np.add(first, context.indices(width), out=context.empty(vectors.shape, np.intp))
                table = np.zeros(views.weight.size, views.weight.dtype) if len(lead) > 1 else views.weight.reshape(-1)
                table.fill(0)
                np.add.at(table, indices.reshape(-1), dvectors.reshape(-1))
                if len(lead) > 1:
                    views.weight[...] = table.reshape(views.weight.shape)
            return dy

        return y, backward
