"""Softmax: it turns a row of numbers into probabilities that add up to 1."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer, ShapeError
from nnfs_cli.nn.parameters import ParameterTree, Views
from nnfs_cli.pipeline.shapes import softmax
from nnfs_cli.pipeline.value import Value


class Softmax(Layer, name="softmax"):
    """Normalized exponentials over the last axis: y_i = exp(x_i) / Σ_j exp(x_j).

    The row's largest entry is subtracted first. This leaves y unchanged and keeps exp from overflowing.
    Gradient: dx = Jᵀ dy with the full Jacobian J_ij = dy_i/dx_j = y_i (δ_ij - y_j), which is
    dx_j = y_j (dy_j - Σ_i y_i dy_i).
    Shapes: x (batch, n) -> y (batch, n).
    Source: Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs" (1990).
    """

    examples = ("softmax",)
    by_entry = (
        "y_i = exp(x_i) / Σ_j exp(x_j)",
        "dx_j = y_j (dy_j - Σ_i y_i dy_i)",
    )
    output_range = (0, 1)

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return the input shape. Raises `ShapeError` for a row of one number, whose softmax is always 1."""
        if input_shape[-1] == 1:
            raise ShapeError("softmax over a single output is always 1; give it one output per class, or use sigmoid")
        return input_shape, {}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, n) -> (batch, n)."""
        y = np.subtract(x, largest(x, context), out=context.empty(x.shape))
        np.exp(y, out=y)
        total = np.dot(y, context.ones(x.shape[-1]), out=context.empty(x.shape[:-1]))
        np.divide(y, total[..., None], out=y)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            return pull_back(y, dy, out=context.empty(x.shape), row=total)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return exp(x) divided by its sum over the last axis."""
        return softmax(x)


def largest(x: Array, context: Context) -> Array:
    """Return the largest number of each row, (..., n) -> (..., 1).

    For short rows NumPy compares whole columns several times as fast as the numbers of each row.
    """
    if x.shape[-1] > 32:
        return np.maximum.reduce(x, axis=-1, keepdims=True, out=context.empty((*x.shape[:-1], 1)))
    columns = context.empty((x.shape[-1], *x.shape[:-1]))
    np.copyto(columns, np.moveaxis(x, -1, 0))
    return np.maximum.reduce(columns, axis=0, out=context.empty(x.shape[:-1]))[..., None]


def jacobian(y: Array) -> Array:
    """Return the Jacobian of softmax at its output y, J_ij = dy_i/dx_j = y_i (δ_ij - y_j): (..., n) -> (..., n, n)."""
    return y[..., :, None] * (np.eye(y.shape[-1]) - y[..., None, :])


def pull_back(y: Array, dy: Array, out: Array | None = None, row: Array | None = None) -> Array:
    """Return dx = Jᵀ dy without forming J: its structure gives dx_j = y_j (dy_j - Σ_i y_i dy_i).

    Shapes: y, dy and the result (..., n). `out` (..., n) and `row` (...) are buffers to work in.
    """
    mean = np.vecdot(y, dy, out=row)[..., None]
    dx = np.subtract(dy, mean, out=out)
    return np.multiply(y, dx, out=dx)
