"""Batch normalisation: each feature is brought to mean 0 and variance 1 over the batch."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.field_types import PositiveFloat, Rate
from nnfs_cli.nn.initializers import Constant, Zeros
from nnfs_cli.nn.layers.base import Backward, Context, Layer, fold, product
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views


class BatchNorm(Layer, name="batch_norm"):
    """Normalisation over the batch: y = x̂ · weight + bias with x̂ = (x - mean) / sqrt(var + eps), feature by feature.

    While the net learns, mean and variance are the batch's, and running_ <- (1 - momentum) · running_ + momentum · the
    batch's (the variance with n - 1). Once learned, the running ones are used. They are saved with the weights.
    Gradients, with c = dy · weight: dx = (c - mean(c) - x̂ · mean(c x̂)) / sqrt(var + eps), the means over the batch;
    dweight = Σ_batch dy x̂, dbias = Σ_batch dy.
    Shapes: x (batch, ..., n), all else (n,), y as x. A step needs two rows.
    Source: Ioffe and Szegedy, "Batch Normalization" (2015), algorithm 1; names and defaults as in PyTorch.
    """

    examples = ("batch_norm", "batch_norm: {momentum: 0.01, eps: 0.001}")
    min_batch = 2
    learns_otherwise = True

    momentum: Rate = 0.1
    """How much a batch counts in the running statistics."""
    eps: PositiveFloat = 1e-5
    """Keeps a constant feature from being divided by zero."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """A weight, a bias and two running statistics for each feature, the last axis."""
        n = input_shape[-1]
        one, zero = (ParameterSpec((n,), init, n, n) for init in (Constant(value=1.0), Zeros()))
        running = {"running_mean": zero._replace(learned=False), "running_var": one._replace(learned=False)}
        return input_shape, {"weight": one, "bias": zero, **running}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., n) -> the same."""
        members, shape = p.weight.ndim - 1, x.shape
        x = fold(x, members)
        n, ones = x.shape[-2], context.ones(x.shape[-2])
        mean, var = p.running_mean, p.running_var
        work, (row, spare, scale) = context.empty(x.shape), (context.empty(p.weight.shape) for _ in range(3))
        if context.training:
            mean = np.divide(product(ones, x, out=row), n, out=row)
        x_hat = np.subtract(x, mean[..., None, :], out=context.empty(x.shape))
        if context.training:
            var = np.divide(product(ones, np.square(x_hat, out=work), out=scale), n, out=scale)
            for kept, new, share in ((p.running_mean, mean, 1), (p.running_var, var, n / max(n - 1, 1))):
                np.multiply(kept, 1 - self.momentum, out=kept)
                np.add(kept, np.multiply(new, self.momentum * share, out=spare), out=kept)
        np.divide(1, np.sqrt(np.add(var, self.eps, out=scale), out=scale), out=scale)
        np.multiply(x_hat, scale[..., None, :], out=x_hat)
        y = np.multiply(x_hat, p.weight[..., None, :], out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dy = fold(dy, members)
            product(ones, dy, out=g.bias)
            product(ones, np.multiply(dy, x_hat, out=work), out=g.weight)
            # mean(c) and mean(c x̂) are the sums just made, times weight / n.
            np.multiply(x_hat, np.divide(g.weight, n, out=row)[..., None, :], out=work)
            dx: Array = np.subtract(dy, np.divide(g.bias, n, out=row)[..., None, :], out=context.empty(dy.shape))
            np.subtract(dx, work, out=dx)
            np.multiply(dx, np.multiply(p.weight, scale, out=scale)[..., None, :], out=dx)
            return dx.reshape(shape)

        return np.add(y, p.bias[..., None, :], out=y).reshape(shape), backward
