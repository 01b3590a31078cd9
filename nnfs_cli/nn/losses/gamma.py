"""The gamma loss: the negative log-likelihood of a positive number whose spread grows with its mean."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.layers.exp import Exp
from nnfs_cli.nn.losses.base import Loss, LossBackward, row_means, scaled
from nnfs_cli.nn.losses.cross_entropy import margin


class Gamma(Loss, name="gamma"):
    """Negative log-likelihood of positive numbers, averaged over targets: L = 1/n Σ_i (ln(y_hat_i) + y_i / y_hat_i).

    The numbers have a gamma distribution whose standard deviation is proportional to its mean, as costs and durations
    often have. Terms that do not depend on y_hat are left out, so L may be negative.
    With exp, it is computed from the logits z: L = 1/n Σ_i (y_i exp(-z_i) + z_i). As written, y_hat is kept at least
    1e-8 (or the machine epsilon) away from 0.
    Gradient: dL/dy_hat = (1 - y / y_hat) / (y_hat n); with exp, dL/dz = (1 - y exp(-z)) / n.
    Shapes: y_hat or z and y (batch, n), y >= 0; L (batch,).
    Source: McCullagh and Nelder, "Generalized Linear Models" (1989), section 8.2.
    """

    examples = ("gamma",)
    by_entry = (
        "L = 1 / n Σ_i (ln(y_hat_i) + y_i / y_hat_i)",
        "dy_hat_i = (1 - y_i / y_hat_i) / (y_hat_i n) · w",
        "dz_i = (1 - y_i / y_hat_i) / n · w",
    )
    task = "regression"
    activation = Exp
    target_range = (0, np.inf)

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        p = np.maximum(y_hat, margin(y_hat), out=context.empty(y_hat.shape))
        ratio = np.divide(y, p, out=context.empty(y_hat.shape))
        each = np.log(p, out=context.empty(y_hat.shape))
        np.add(each, ratio, out=each)

        def backward(weight: float | Array) -> Array:
            dy_hat = np.divide(np.subtract(1, ratio, out=ratio), p, out=p)
            return np.multiply(dy_hat, scaled(weight, 1 / y.shape[-1], context), out=dy_hat)

        return row_means(each, context), backward

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        ratio = np.negative(z, out=context.empty(z.shape))
        np.multiply(np.exp(ratio, out=ratio), y, out=ratio)
        each = np.add(ratio, z, out=context.empty(z.shape))

        def backward(weight: float | Array) -> Array:
            dz = np.subtract(1, ratio, out=ratio)
            return np.multiply(dz, scaled(weight, 1 / y.shape[-1], context), out=dz)

        return row_means(each, context), backward
