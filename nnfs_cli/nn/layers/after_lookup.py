"""A net whose inputs are in part codes."""

from __future__ import annotations

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.layers.base import Backward, Context
from nnfs_cli.nn.layers.lookup import Lookup
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.parameters import ParameterTree, Views


class AfterLookup(Sequential):
    """Layers that see what a lookup gives them: y = f_n(... f_1(lookup(x)))."""

    lookup: Lookup

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """The tables come first; the layers keep the names that they have without them."""
        shape, tables = self.lookup.build(input_shape)
        shape, tree = super().build(shape)
        return shape, {"lookup": tables, **tree}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """Look up, and go on from there."""
        tables, layers = _apart(p)
        inputs, into_tables = self.lookup.forward(tables, x, context)
        y, through_layers = super().forward(layers, inputs, context)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            tables, layers = _apart(g)
            return into_tables(through_layers(dy, layers, True), tables, need_dx)

        return y, backward


def _apart(views: Views) -> tuple[Views, Views]:
    """Those of the tables, and those of the layers."""
    tables, *layers = views
    return tables, Views({str(i): inner for i, inner in enumerate(layers)})
