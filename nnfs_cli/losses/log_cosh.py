"""Log-cosh: squared error near zero and absolute error far from it, without a seam."""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.layers import Context
from nnfs_cli.losses.base import Loss, LossBackward
from nnfs_cli.parameters import Array


class LogCosh(Loss, name="log_cosh"):
    """Averaged over the targets of a row, with e = y_hat - y: L = 1/n Σ_i ln cosh(e_i).

    Computed as |e| + ln(1 + exp(-2|e|)) - ln 2, which does not overflow.
    Gradient: dL/dy_hat = tanh(e) / n.
    Shapes: y_hat and y (batch, n); L (batch,).
    Source: Green, "Bayesian reconstructions from emission tomography data" (1990); Keras' `log_cosh`.
    """

    examples = ("log_cosh",)
    task = "regression"

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        error = np.subtract(y_hat, y, out=context.empty(y_hat.shape))
        size = np.abs(error, out=context.empty(error.shape))
        bend = np.multiply(size, -2, out=context.empty(error.shape))
        np.log1p(np.exp(bend, out=bend), out=bend)
        losses = np.add.reduce(np.add(size, bend, out=size), axis=-1, out=context.empty(error.shape[:-1]))
        np.multiply(losses, 1 / y.shape[-1], out=losses)

        def backward(weight: float | Array) -> Array:
            dy_hat: Array = np.tanh(error, out=error)
            np.multiply(dy_hat, weight / y.shape[-1], out=dy_hat)
            return dy_hat

        np.subtract(losses, math.log(2), out=losses)
        return losses, backward
