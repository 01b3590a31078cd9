"""A rectifier that learns its slope below zero."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.initializers import Constant, Initializer
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views
from nnfs_cli.pipeline.elementwise import add, maximum, minimum, multiply
from nnfs_cli.pipeline.value import Value


class PReLU(Layer, name="prelu", main="init"):
    """Parametric rectifier: y = x for x > 0, else a · x, with a learned slope a for each unit.

    Gradient: dx = dy where x > 0, else a · dy; da = Σ_batch x · dy where x <= 0.
    Shapes: x (batch, ..., units), a (units,), y as x.
    Source: He et al., "Delving Deep into Rectifiers" (2015). PyTorch shares one slope among all units by default.
    """

    examples = ("prelu", "prelu: {init: {constant: 0.1}}")
    by_entry = (
        "y_j = x_j for x_j > 0, else slope_j x_j",
        "dx_j = dy_j for x_j > 0, else slope_j dy_j",
        "dslope_j = Σ_b min(x_bj, 0) dy_bj",
    )

    init: Initializer = Field(default=Constant(value=0.25), kw_only=False)
    """Initializer of the slopes a."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return one slope for each unit, the last axis."""
        units = input_shape[-1]
        return input_shape, {"slope": ParameterSpec((units,), self.init, units, units)}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., units) -> (batch, ..., units)."""
        shape, x = x.shape, context.as_rows(x)
        zeros = context.zeros(x.shape)
        above = np.maximum(x, zeros, out=context.empty(x.shape))
        below = np.minimum(x, zeros, out=context.empty(x.shape))
        y = np.multiply(below, p.slope[..., None, :], out=context.empty(x.shape))
        np.add(y, above, out=y)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dy = context.as_rows(dy)
            # 1 where x > 0, else a: computed as (x > 0) · (1 - a) + a.
            slopes = np.greater(above, zeros, out=above)
            rest = np.subtract(1, p.slope, out=context.empty(p.slope.shape))
            np.multiply(slopes, rest[..., None, :], out=slopes)
            np.add(slopes, p.slope[..., None, :], out=slopes)
            context.sum_rows(np.multiply(below, dy, out=below), out=g.slope)
            return np.multiply(slopes, dy, out=slopes).reshape(shape)

        return y.reshape(shape), backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return max(x, 0) + a · min(x, 0)."""
        return add(multiply(minimum(x, 0), p.slope), maximum(x, 0))
