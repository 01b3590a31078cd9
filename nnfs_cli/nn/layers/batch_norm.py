"""Batch normalization: each feature gets mean 0 and variance 1 over the batch."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.field_types import PositiveFloat, Rate
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.initializers import Constant, Zeros
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views
from nnfs_cli.pipeline.elementwise import add, multiply, subtract
from nnfs_cli.pipeline.value import Value, constant


class BatchNorm(Layer, name="batch_norm"):
    """Normalization over the batch: y = x̂ · weight + bias with x̂ = (x - mean) / sqrt(var + eps), for each feature.

    In training, mean and variance are the batch's, and the running ones follow them: running <- (1 - momentum) ·
    running + momentum · batch (its variance with n - 1). In prediction the running ones are used; they are saved with
    the weights.
    Gradients, with c = dy · weight: dx = (c - mean(c) - x̂ · mean(c x̂)) / sqrt(var + eps), with means over the batch;
    dweight = Σ_batch dy x̂, dbias = Σ_batch dy.
    Shapes: x (batch, ..., n), all parameters (n,), y as x. A training step needs at least two rows.
    Source: Ioffe and Szegedy, "Batch Normalization" (2015), algorithm 1; names and defaults as in PyTorch.
    """

    examples = ("batch_norm", "batch_norm: {momentum: 0.01, eps: 0.001}")
    by_entry = (
        "y_j = (x_j - mean_j) / sqrt(var_j + eps) · weight_j + bias_j",
        "dx_j = weight_j (dy_j - Σ_b dy_bj / n - x̂_j Σ_b dy_bj x̂_bj / n) / sqrt(var_j + eps)",
        "dweight_j = Σ_b dy_bj x̂_bj",
        "dbias_j = Σ_b dy_bj",
    )
    min_batch = 2
    differs_in_training = True

    momentum: Rate = 0.1
    """Share of the new batch in the running statistics."""
    eps: PositiveFloat = 1e-5
    """Number added to the variance, so that a constant feature is not divided by zero."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return a weight, a bias and two running statistics for each feature, the last axis."""
        n = input_shape[-1]
        one, zero = (ParameterSpec((n,), init, n, n) for init in (Constant(value=1.0), Zeros()))
        running = {"running_mean": zero._replace(learned=False), "running_var": one._replace(learned=False)}
        return input_shape, {"weight": one, "bias": zero, **running}

    def named_numbers(self, x: Array, y: Array) -> dict[str, Array | float]:
        """Return mean and var (n,) over the batch, x̂ (batch, ..., n), and the number n of rows."""
        axes = tuple(range(x.ndim - 1))
        mean, var = x.mean(axis=axes), x.var(axis=axes)
        return {"mean": mean, "var": var, "x̂": (x - mean) / np.sqrt(var + self.eps), "n": x.size // x.shape[-1]}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., n) -> (batch, ..., n)."""
        shape, x = x.shape, context.as_rows(x)
        n = x.shape[-2]
        mean, var = p.running_mean, p.running_var
        work = context.empty(x.shape)
        row, spare, scale = (context.empty(p.weight.shape) for _ in range(3))
        if context.training:
            mean = np.divide(context.sum_rows(x, out=row), n, out=row)
        x_hat = np.subtract(x, mean[..., None, :], out=context.empty(x.shape))
        if context.training:
            var = np.divide(context.sum_rows(np.square(x_hat, out=work), out=scale), n, out=scale)
            for running, batch, factor in ((p.running_mean, mean, 1), (p.running_var, var, n / max(n - 1, 1))):
                np.multiply(running, 1 - self.momentum, out=running)
                np.add(running, np.multiply(batch, self.momentum * factor, out=spare), out=running)
        np.divide(1, np.sqrt(np.add(var, self.eps, out=scale), out=scale), out=scale)
        np.multiply(x_hat, scale[..., None, :], out=x_hat)
        y = np.multiply(x_hat, p.weight[..., None, :], out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dy = context.as_rows(dy)
            context.sum_rows(dy, out=g.bias)
            context.sum_rows(np.multiply(dy, x_hat, out=work), out=g.weight)
            # mean(c) and mean(c x̂) are these two sums times weight / n.
            np.multiply(x_hat, np.divide(g.weight, n, out=row)[..., None, :], out=work)
            dx: Array = np.subtract(dy, np.divide(g.bias, n, out=row)[..., None, :], out=context.empty(dy.shape))
            np.subtract(dx, work, out=dx)
            np.multiply(dx, np.multiply(p.weight, scale, out=scale)[..., None, :], out=dx)
            return dx.reshape(shape)

        return np.add(y, p.bias[..., None, :], out=y).reshape(shape), backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return x̂ · weight + bias, with the running statistics."""
        var = p.running_var
        scale = constant(1 / np.sqrt(var.array + self.eps), members=bool(var.members))
        x_hat = multiply(subtract(x, p.running_mean), scale)
        return add(multiply(x_hat, p.weight), p.bias)
