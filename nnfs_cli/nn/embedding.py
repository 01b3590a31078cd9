"""Learned vectors for categories: the first part of a net if preprocessing uses `embedding`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.initializers import Normal
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views
from nnfs_cli.pipeline.elementwise import cast, less_equal, maximum, multiply
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.shapes import concatenate, rows_of, take
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import listing


class EmbeddingTable(NamedTuple):
    """A table of `rows` learned vectors of this `width`, for the codes in the input column with index `place`."""

    place: int
    rows: int
    width: int
    name: str


class Embedding(Layer):
    """Replace codes by learned vectors: y = the inputs that are not codes, then weight[code] for each table.

    Codes are whole numbers from 0; a negative code gives zeros.
    Gradients: dweight[code] = Σ dy over the rows with this code. Codes have none, so this must be the first layer.
    Shapes: x (batch, n_inputs), weight (rows, width), y (batch, n_inputs - tables + Σ width).
    Source: Guo and Berkhahn, "Entity Embeddings of Categorical Variables" (2016).
    """

    tables: tuple[EmbeddingTable, ...]

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return one weight (rows, width) for each table, under its name."""
        tree = {}
        for table in self.tables:
            shape = table.rows, table.width
            tree[table.name] = {"weight": ParameterSpec(shape, Normal(std=0.1), *shape, decays=True)}
        return (self._width(input_shape[0]),), tree

    def describe(self) -> str:
        """Return the columns that have a table."""
        return f"embedding of {listing(table.name for table in self.tables)}"

    def multiply_adds(self, input_shape: Shape) -> int:
        """Return 0: vectors are looked up."""
        return 0

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, n_inputs) -> (batch, n_inputs - tables + Σ width)."""
        *lead, n_inputs = x.shape
        y = context.empty((*lead, self._width(n_inputs)))
        end = _copy_between(x, [table.place for table in self.tables], y)
        lookups = []
        for table, views in zip(self.tables, p, strict=True):
            columns = slice(end, end + table.width)
            end += table.width
            lookup = _Lookup(views.weight, x[..., table.place], context)
            lookup.forward(y[..., columns])
            lookups.append((lookup, columns))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            for (lookup, columns), views in zip(lookups, g, strict=True):
                lookup.backward(dy[..., columns], views.weight)
            return dy

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return the inputs that are not codes, then the vector of each code, or zeros."""
        places = {table.place for table in self.tables}
        others = [i for i in range(x.width) if i not in places]
        parts = [take(x, others)] if others else []
        for table, views in zip(self.tables, p, strict=True):
            code = cast(take(x, [table.place]), "int64")
            known = cast(less_equal(0, code), x.dtype)
            parts.append(multiply(rows_of(views.weight, maximum(code, 0)), known))
        return concatenate(parts)

    def label(self) -> str:
        """Return the name that it has in messages."""
        return "embedding"

    def _width(self, n_inputs: int) -> int:
        return n_inputs + sum(table.width - 1 for table in self.tables)


class EmbeddedSequential(Sequential):
    """Layers behind an embedding: y = f_n(... f_1(embedding(x))).

    Parameters: `lookup.<column>.weight` for each table; the names in the layers are the same as without embedding.
    """

    embedding: Embedding

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return the tables under `lookup`, and the parameters of the layers."""
        shape, tables = self.embedding.build(input_shape)
        shape, tree = super().build(shape)
        return shape, {"lookup": tables, **tree}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """Replace codes by vectors and apply the layers."""
        tables, layers = _tables_and_layers(p)
        inputs, embedding_backward = self.embedding.forward(tables, x, context)
        y, layers_backward = super().forward(layers, inputs, context)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            tables, layers = _tables_and_layers(g)
            return embedding_backward(layers_backward(dy, layers, True), tables, need_dx)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return the layers applied to the vectors."""
        tables, layers = _tables_and_layers(p)
        with part("vectors of categories"):
            vectors = self.embedding.operations(tables, x)
        return super().operations(layers, vectors)


class _Lookup:
    """The vectors of one table for one batch of codes, (members?, batch)."""

    def __init__(self, weight: Array, codes: Array, context: Context) -> None:
        self.context = context
        self.width = weight.shape[-1]
        self.known = np.greater_equal(codes, 0, out=context.empty(codes.shape))[..., None]  # 1, or 0 for no category
        self.indices = np.maximum(codes, 0, out=context.empty(codes.shape, np.intp), casting="unsafe")
        if codes.ndim > 1:  # the tables of all members lie one below the other
            members, rows = weight.shape[:2]
            np.add(self.indices, rows * context.indices(members)[:, None], out=self.indices)
        self.rows = weight.reshape(-1, self.width)
        self.vectors = context.empty((*codes.shape, self.width))

    def forward(self, y: Array) -> None:
        """Write the vectors into y (members?, batch, width)."""
        # The indices are in range; mode "clip" lets `take` write straight into its buffer.
        np.take(self.rows, self.indices, 0, self.vectors, "clip")
        np.multiply(self.vectors, self.known, out=y)

    def backward(self, dy: Array, dweight: Array) -> None:
        """Write the gradient of the table into `dweight` (members?, rows, width)."""
        dvectors = np.multiply(dy, self.known, out=self.vectors)
        # NumPy adds at single entries several times as fast as at whole rows.
        np.multiply(self.indices, self.width, out=self.indices)
        entries = self.context.empty(dvectors.shape, np.intp)
        np.add(self.indices[..., None], self.context.indices(self.width), out=entries)
        dweight.fill(0)
        flat = dweight.reshape(-1)
        np.add.at(flat, entries.reshape(-1), dvectors.reshape(-1))
        if dweight.ndim > 2:  # the gradients of members are not contiguous, so `flat` is a copy
            dweight[...] = flat.reshape(dweight.shape)


def _copy_between(x: Array, places: Sequence[int], y: Array) -> int:
    """Copy the columns of x except those at `places` to the first columns of y, and return their number."""
    end = 0
    for left, right in pairwise([-1, *sorted(places), x.shape[-1]]):
        start, end = end, end + right - left - 1
        y[..., start:end] = x[..., left + 1 : right]
    return end


def _tables_and_layers(views: Views) -> tuple[Views, Views]:
    """Return the views of the tables and the views of the layers."""
    tables, *layers = views
    return tables, Views({str(i): inner for i, inner in enumerate(layers)})
