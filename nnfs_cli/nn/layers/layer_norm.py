"""Layer normalization: each row gets mean 0 and variance 1, independent of the other rows."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.initializers import Constant, Zeros
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views
from nnfs_cli.pipeline.elementwise import add, divide, multiply, sqrt, subtract
from nnfs_cli.pipeline.shapes import sum_last
from nnfs_cli.pipeline.value import Value


class LayerNorm(Layer, name="layer_norm"):
    """Normalization over the last axis: y = x̂ · weight + bias with x̂ = (x - mean) / sqrt(var + eps), for each row.

    Gradients, with c = dy · weight: dx = (c - mean(c) - x̂ · mean(c x̂)) / sqrt(var + eps), with means over the row;
    dweight = Σ_batch dy x̂, dbias = Σ_batch dy.
    Shapes: x (batch, ..., n), weight and bias (n,), y as x.
    Source: Ba, Kiros and Hinton, "Layer Normalization" (2016).
    """

    examples = ("layer_norm", "layer_norm: {eps: 0.001}")
    by_entry = (
        "y_j = (x_j - mean) / sqrt(var + eps) · weight_j + bias_j",
        "dx_j = (c_j - Σ_k c_k / n - x̂_j Σ_k c_k x̂_k / n) / sqrt(var + eps) with c_j = dy_j weight_j",
        "dweight_j = Σ_b dy_bj x̂_bj",
        "dbias_j = Σ_b dy_bj",
    )

    eps: PositiveFloat = 1e-5
    """Number added to the variance, so that a row of equal numbers is not divided by zero."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return a weight and a bias for each number of the last axis."""
        n = input_shape[-1]
        weight, bias = (ParameterSpec((n,), init, n, n) for init in (Constant(value=1.0), Zeros()))
        return input_shape, {"weight": weight, "bias": bias}

    def named_numbers(self, x: Array, y: Array) -> dict[str, Array | float]:
        """Return mean and var (batch, ..., 1) of the rows, x̂ (batch, ..., n), and the width n."""
        mean, var = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
        return {"mean": mean, "var": var, "x̂": (x - mean) / np.sqrt(var + self.eps), "n": x.shape[-1]}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., n) -> (batch, ..., n)."""
        shape, x = x.shape, context.as_rows(x)
        row, ones = context.empty((*x.shape[:-1], 1)), context.ones(x.shape[-1])
        x_hat = np.subtract(x, _mean(x, ones, row), out=context.empty(x.shape))
        square = np.square(x_hat, out=context.empty(x.shape))
        std = np.add(_mean(square, ones, row), self.eps, out=row)
        np.sqrt(std, out=std)
        np.divide(x_hat, std, out=x_hat)
        y = np.multiply(x_hat, p.weight[..., None, :], out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dy = context.as_rows(dy)
            context.sum_rows(dy, out=g.bias)
            context.sum_rows(np.multiply(dy, x_hat, out=square), out=g.weight)
            dx: Array = np.multiply(dy, p.weight[..., None, :], out=context.empty(dy.shape))
            mean = context.empty(std.shape)
            _mean(np.multiply(dx, x_hat, out=square), ones, mean)
            np.multiply(x_hat, mean, out=square)
            np.subtract(dx, _mean(dx, ones, mean), out=dx)
            np.subtract(dx, square, out=dx)
            np.divide(dx, std, out=dx)
            return dx.reshape(shape)

        return np.add(y, p.bias[..., None, :], out=y).reshape(shape), backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return x̂ · weight + bias."""
        x_hat = subtract(x, _mean_of(x))
        x_hat = divide(x_hat, sqrt(add(_mean_of(multiply(x_hat, x_hat)), self.eps)))
        return add(multiply(x_hat, p.weight), p.bias)


def _mean(x: Array, ones: Array, row: Array) -> Array:
    """Write the mean over the last axis into `row` (..., 1)."""
    np.dot(x, ones, out=row[..., 0])
    mean: Array = np.multiply(row, 1 / x.shape[-1], out=row)
    return mean


def _mean_of(x: Value) -> Value:
    """Return the mean over the last axis, (..., 1)."""
    return multiply(sum_last(x), 1 / x.width)
