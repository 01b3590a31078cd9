"""Flatten: it turns rows of any shape into plain lists of numbers."""

from __future__ import annotations

import math

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import ParameterTree, Views
from nnfs_cli.pipeline.shapes import reshape
from nnfs_cli.pipeline.value import Value


class Flatten(Layer, name="flatten"):
    """All numbers of each row on one axis, the last axis varying fastest: y_k = x_ij with k = i · n + j.

    Gradient: dx is dy in the shape of x.
    Shapes: x (batch, m, n) -> y (batch, m · n), and likewise for any number of axes.
    Source: NumPy's `reshape` in C order; Keras' `Flatten`.
    """

    examples = ("flatten",)
    preserves_range = True

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return one axis with all numbers of a row."""
        return (math.prod(input_shape),), {}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, n)."""
        return x.reshape(*x.shape[: context.axes], -1), lambda dy, g, need_dx: dy.reshape(x.shape)

    def operations(self, p: Views, x: Value) -> Value:
        """Return x on one axis."""
        return reshape(x, [math.prod(x.features)])
