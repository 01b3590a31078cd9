"""A residual block: layers that learn what is to be added to their input."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.initializers import Initializer, UniformFanIn
from nnfs_cli.nn.layers.base import Backward, Context, Layer, ShapeError, fold
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views


class Residual(Sequential, name="residual", main="layers"):
    """Layers around which the input takes a shortcut: y = f(x) + x, or f(x) + x P where the widths differ.

    Gradients: dx = df(dy) + dy, or df(dy) + dy Pᵀ, and dP = xᵀ dy.
    Shapes: x (batch, ..., n_inputs), P (n_inputs, n_outputs), y (batch, ..., n_outputs).
    Source: He et al., "Deep Residual Learning for Image Recognition" (2016), eq. 1 and 2.
    """

    examples = ("residual: [linear: 4, tanh, linear: 4]", "residual: [linear: 3, tanh]")

    init: Initializer = UniformFanIn()
    """Of the projection P, where there is one."""

    final, with_final = Layer.final, Layer.with_final  # the sum, which cannot be taken apart, nor is it bounded

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """The parameters of the layers inside, and a projection if it takes one."""
        shape, tree = super().build(input_shape)
        if shape[:-1] != input_shape[:-1]:
            raise ShapeError(f"residual adds rows of shape {shape} to rows of shape {input_shape}; the axes must match")
        if shape != input_shape:
            fans = input_shape[-1], shape[-1]
            tree = {**tree, "projection": ParameterSpec(fans, self.init, *fans, decays=True)}
        return shape, tree

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., n_inputs) -> (batch, ..., n_outputs)."""
        f, f_backward = super().forward(p, x, context)
        projection = getattr(p, "projection", None)
        shortcut = x if projection is None else np.matmul(x, projection, out=context.empty(f.shape))
        y = np.add(f, shortcut, out=context.empty(f.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dx = f_backward(dy, g, need_dx)
            if projection is not None:
                rows, dy_rows = (fold(array, projection.ndim - 2) for array in (x, dy))
                np.matmul(rows.swapaxes(-1, -2), dy_rows, out=g.projection)
            if not need_dx:
                return dx
            if projection is not None:
                dy = np.matmul(dy, projection.swapaxes(-1, -2), out=context.empty(x.shape))
            return np.add(dx, dy, out=context.empty(x.shape))

        return y, backward

    def describe(self) -> str:
        """The layers inside, in brackets."""
        return f"residual [{super().describe()}]"
