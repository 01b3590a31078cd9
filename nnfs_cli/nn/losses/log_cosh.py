"""Log-cosh: a smooth loss like the squared error near zero and the absolute error far from it."""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.losses.base import Loss, LossBackward, row_means, scaled


class LogCosh(Loss, name="log_cosh"):
    """Log-cosh of the errors, averaged over the targets of a row: L = 1/n Σ_i ln cosh(e_i) with e = y_hat - y.

    It is computed as |e| + ln(1 + exp(-2|e|)) - ln 2, which does not overflow.
    Gradient: dL/dy_hat = tanh(e) / n.
    Shapes: y_hat and y (batch, n); L (batch,).
    Source: Green, "Bayesian reconstructions from emission tomography data" (1990); Keras' `log_cosh`.
    """

    examples = ("log_cosh",)
    by_entry = (
        "L = 1 / n Σ_i ln(cosh(y_hat_i - y_i))",
        "dy_hat_i = tanh(y_hat_i - y_i) / n · w",
    )
    task = "regression"

    def constant_levels(self) -> tuple[float, ...]:
        """Return 0.5: the best constant lies between median and mean, as with the Huber loss."""
        return (0.5,)

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        error = np.subtract(y_hat, y, out=context.empty(y_hat.shape))
        size = np.abs(error, out=context.empty(error.shape))
        bend = np.multiply(size, -2, out=context.empty(error.shape))
        np.log1p(np.exp(bend, out=bend), out=bend)
        losses = row_means(np.add(size, bend, out=size), context)

        def backward(weight: float | Array) -> Array:
            slope = np.tanh(error, out=error)
            return np.multiply(slope, scaled(weight, 1 / y.shape[-1], context), out=slope)

        return np.subtract(losses, math.log(2), out=losses), backward
