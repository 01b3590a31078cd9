"""Reshape: it arranges the numbers of a row on other axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.field_types import NotEmpty, PositiveInt
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer, ShapeError
from nnfs_cli.nn.parameters import ParameterTree, Views
from nnfs_cli.pipeline.shapes import reshape
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import counted

if TYPE_CHECKING:
    Axes: TypeAlias = Sequence[int]  # type checkers accept a list as well
else:
    Axes = Annotated[tuple[PositiveInt, ...], NotEmpty]


class Reshape(Layer, name="reshape", main="shape"):
    """The numbers of each row in another shape, the last axis varying fastest: y_ij = x_k with k = i · n + j.

    Layers after it work on the last axis, so a linear layer shares its weights among all other axes.
    Gradient: dx is dy in the shape of x.
    Shapes: x (batch, ...) -> y (batch, *shape).
    Source: NumPy's `reshape` in C order; Keras' `Reshape`.
    """

    examples = ("reshape: [2, 2]", "reshape: [4, 1]")
    preserves_range = True

    shape: Axes = Field(kw_only=False)
    """Shape of an output row, without the batch axis."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return the new shape. Raises `ShapeError` unless it holds the same number of numbers as the old one."""
        have, need = math.prod(input_shape), math.prod(self.shape)
        if have != need:
            raise ShapeError(f"reshape makes rows of {counted(need, 'number')}, but its input rows have {have:,}")
        return tuple(self.shape), {}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, *shape)."""
        return x.reshape(*x.shape[: context.axes], *self.shape), lambda dy, g, need_dx: dy.reshape(x.shape)

    def operations(self, p: Views, x: Value) -> Value:
        """Return x in the new shape."""
        return reshape(x, self.shape)
