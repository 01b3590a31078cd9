"""The Poisson loss: the negative log-likelihood of a count, given the expected count."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.layers.exp import Exp
from nnfs_cli.nn.losses.base import Loss, LossBackward, row_means, scaled
from nnfs_cli.nn.losses.cross_entropy import margin


class Poisson(Loss, name="poisson"):
    """Negative log-likelihood of counts, averaged over the targets of a row: L = 1/n Σ_i (y_hat_i - y_i ln(y_hat_i)).

    The constant ln(y!) is left out, so L may be negative. Counts with an exposure e, such as the years of a policy, are
    learned as rates y / e of weight e, which has the same minimum as the offset ln(e) has.
    With exp, it is computed from the logits z: L = 1/n Σ_i (exp(z_i) - y_i z_i). As written, y_hat is kept at least
    1e-8 (or the machine epsilon) away from 0. PyTorch adds 1e-8 to every y_hat instead.
    Gradient: dL/dy_hat = (1 - y / y_hat) / n; with exp, dL/dz = (exp(z) - y) / n.
    Shapes: y_hat or z and y (batch, n), y >= 0; L (batch,).
    Source: McCullagh and Nelder, "Generalized Linear Models" (1989), section 6.2.
    """

    examples = ("poisson",)
    by_entry = (
        "L = 1 / n Σ_i (y_hat_i - y_i ln(y_hat_i))",
        "dy_hat_i = (1 - y_i / y_hat_i) / n · w",
        "dz_i = (y_hat_i - y_i) / n · w",
    )
    task = "regression"
    activation = Exp
    target_range = (0, np.inf)
    counts = True

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        p = np.maximum(y_hat, margin(y_hat), out=context.empty(y_hat.shape))
        each = np.log(p, out=context.empty(y_hat.shape))
        np.subtract(p, np.multiply(y, each, out=each), out=each)

        def backward(weight: float | Array) -> Array:
            dy_hat = np.subtract(1, np.divide(y, p, out=p), out=p)
            return np.multiply(dy_hat, scaled(weight, 1 / y.shape[-1], context), out=dy_hat)

        return row_means(each, context), backward

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        y_hat = np.exp(z, out=context.empty(z.shape))
        each = np.multiply(y, z, out=context.empty(z.shape))
        np.subtract(y_hat, each, out=each)

        def backward(weight: float | Array) -> Array:
            dz = np.subtract(y_hat, y, out=y_hat)
            return np.multiply(dz, scaled(weight, 1 / y.shape[-1], context), out=dz)

        return row_means(each, context), backward
