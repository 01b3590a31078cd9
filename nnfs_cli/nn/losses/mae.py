"""Mean absolute error: a loss on which a few outliers have little influence."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.losses.base import Loss, LossBackward, row_means, scaled


class MAE(Loss, name="mae"):
    """Absolute error, averaged over the targets of a row: L = 1/n Σ_i |y_hat_i - y_i|.

    The median of the targets minimizes it.
    Gradient: dL/dy_hat = sign(y_hat - y) / n, which is 0 where they are equal.
    Shapes: y_hat and y (batch, n); L (batch,).
    Source: Laplace (1774); Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning" (2009), 10.6.
    """

    examples = ("mae",)
    by_entry = (
        "L = 1 / n Σ_i |y_hat_i - y_i|",
        "dy_hat_i = sign(y_hat_i - y_i) / n · w",
    )
    task = "regression"

    def constant_levels(self) -> tuple[float, ...]:
        """Return 0.5: the median is the best constant."""
        return (0.5,)

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        error = np.subtract(y_hat, y, out=context.empty(y_hat.shape))
        losses = row_means(np.abs(error, out=context.empty(error.shape)), context)

        def backward(weight: float | Array) -> Array:
            sign = np.sign(error, out=error)
            return np.multiply(sign, scaled(weight, 1 / y.shape[-1], context), out=sign)

        return losses, backward
