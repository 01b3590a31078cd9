"""Outputs in ascending order: the first number, and how far each further one lies above the one before."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.cut_points import AscendingShares
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.layers.softplus import softplus, softplus_operations
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views
from nnfs_cli.pipeline.elementwise import add
from nnfs_cli.pipeline.shapes import concatenate, cumulative_sum, take
from nnfs_cli.pipeline.value import Value


class Ascending(Layer, name="ascending"):
    """Outputs in ascending order: y_0 = x_0 + s_0 and y_k = y_k-1 + softplus(x_k + s_k), with a learned s for each.

    It is the last layer of a net for ordered classes, with the loss `ordinal`: sigmoid(y_k) is the probability that the
    class is k or one before it. Unlike with `cumulative_logits`, each row has cut points of its own.
    Gradients, with r_j = Σ_k>=j dy_k: dx_j = r_j sigmoid(x_j + s_j) (without sigmoid for j = 0), ds_j = Σ_batch dx_j.
    Shapes: x (batch, ..., units), s (units,), y as x.
    Source: Peterson and Harrell, "Partial Proportional Odds Models for Ordinal Response Variables" (1990), for odds
    that are not proportional.
    """

    examples = ("ascending",)
    by_entry = (
        "y_j = start + Σ_k step_k until_kj",
        "dx_j = slope_j (Σ_k dy_k after_kj)",
        "dspacing_j = Σ_b slope_bj (Σ_k dy_bk after_kj)",
    )

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return one number s for each unit, the last axis."""
        units = input_shape[-1]
        return input_shape, {"spacing": ParameterSpec((units,), AscendingShares(), units, units)}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., units) -> (batch, ..., units)."""
        shape, x = x.shape, context.as_rows(x)
        z = np.add(x, p.spacing[..., None, :], out=context.empty(x.shape))
        steps, slope = softplus(z, context)
        np.exp(np.subtract(z, steps, out=slope), out=slope)
        slope[..., 0], steps[..., 0] = 1, z[..., 0]
        y = np.cumsum(steps, axis=-1, out=z)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            later = np.cumsum(context.as_rows(dy)[..., ::-1], axis=-1, out=steps)
            dx: Array = np.multiply(later[..., ::-1], slope, out=slope)
            context.sum_rows(dx, out=g.spacing)
            return dx.reshape(shape)

        return y.reshape(shape), backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return the sums of z_0 and of softplus(z_k) up to each k, with z = x + s."""
        z = add(x, p.spacing)
        first, later = take(z, [0]), range(1, z.width)
        steps = [first, softplus_operations(take(z, later))] if later else [first]
        return cumulative_sum(concatenate(steps))

    def named_numbers(self, x: Array, y: Array) -> dict[str, Array | float]:
        """Return the steps between neighbours and their slopes, and which of them an output is made of.

        `start` is the first output, `step` (batch, ..., units) the distance of each from the one before, 0 for the
        first, `slope` its derivative, and `after` (units, units) is 1 where output k is j or behind it.
        """
        step = np.diff(y, axis=-1, prepend=y[..., :1])
        slope = -np.expm1(-step)
        slope[..., 0] = 1
        after = np.tri(y.shape[-1])
        return {"start": y[..., :1], "step": step, "slope": slope, "after": after, "until": after.T}
