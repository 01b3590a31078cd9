"""A residual block: its layers learn what to add to their input."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.initializers import Initializer, UniformFanIn
from nnfs_cli.nn.kernels import over_inner_axes
from nnfs_cli.nn.layers.base import Backward, Layer, Layers, ShapeError
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views
from nnfs_cli.pipeline.elementwise import add
from nnfs_cli.pipeline.shapes import matmul
from nnfs_cli.pipeline.value import Value


class Residual(Layer, name="residual", main="layers"):
    """Layers with a shortcut around them: y = f(x) + x, or f(x) + x P where the widths differ.

    Gradients: dx = df(dy) + dy, or df(dy) + dy Pᵀ, and dP = Σ_batch xᵀ dy.
    Shapes: x (batch, ..., n_inputs), P (n_inputs, n_outputs), y (batch, ..., n_outputs).
    Source: He et al., "Deep Residual Learning for Image Recognition" (2016), eq. 1 and 2.
    """

    examples = ("residual: [linear: 4, tanh, linear: 4]", "residual: [linear: 3, tanh]")
    by_entry = (
        "y_j = f_j + Σ_i x_i projection_ij",
        "y_j = f_j + x_j",
        "dx_i = df_i + Σ_j dy_j projection_ij",
        "dx_i = df_i + dy_i",
        "dprojection_ij = Σ_b x_bi dy_bj",
    )

    layers: Layers = Field(kw_only=False)
    """The layers f in the order in which they are applied."""
    init: Initializer = UniformFanIn()
    """Initializer of the projection P, if there is one."""

    @cached_property
    def body(self) -> Sequential:
        """The layers f as one layer."""
        return Sequential(layers=self.layers)

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return the parameters of the layers inside, and a projection if the width changes.

        Raises `ShapeError` if the layers change any other axis.
        """
        shape, tree = self.body.build(input_shape)
        if shape[:-1] != input_shape[:-1]:
            raise ShapeError(f"residual adds rows of shape {shape} to rows of shape {input_shape}; the axes must match")
        if shape != input_shape:
            fans = input_shape[-1], shape[-1]
            tree = {**tree, "projection": ParameterSpec(fans, self.init, *fans, decays=True)}
        return shape, tree

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., n_inputs) -> (batch, ..., n_outputs)."""
        f, f_backward = self.body.forward(p, x, context)
        shortcut, projection = x, None
        if hasattr(p, "projection"):
            projection = over_inner_axes(p.projection, x.ndim)
            shortcut = np.matmul(x, projection, out=context.empty(f.shape))
        y = np.add(f, shortcut, out=context.empty(f.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dx = f_backward(dy, g, need_dx)
            if projection is not None:
                context.sum_outer(x, dy, out=g.projection)
            if not need_dx:
                return dx
            if projection is not None:
                dy = np.matmul(dy, projection.mT, out=context.empty(x.shape))
            return np.add(dx, dy, out=context.empty(x.shape))

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return f(x) + x, or f(x) + x P."""
        shortcut = matmul(x, p.projection) if hasattr(p, "projection") else x
        return add(self.body.operations(p, x), shortcut)

    def describe(self) -> str:
        """Return the layers inside, in brackets."""
        return f"residual [{self.body.describe()}]"
