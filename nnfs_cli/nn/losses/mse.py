"""Mean squared error: the standard loss for numbers."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.losses.base import Loss, LossBackward, row_means, scaled


class MSE(Loss, name="mse", main="factor"):
    """Squared error, averaged over the targets of a row: L = factor · 1/n Σ_i (y_hat_i - y_i)².

    Gradient: dL/dy_hat = factor · 2/n (y_hat - y). With a factor of 0.5 and one target it is y_hat - y.
    Shapes: y_hat and y (batch, n); L (batch,).
    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 3.12 (with factor 0.5).
    """

    examples = ("mse", "mse: 0.5")
    by_entry = (
        "L = factor / n Σ_i (y_hat_i - y_i)²",
        "dy_hat_i = 2 · factor / n (y_hat_i - y_i) w",
    )
    task = "regression"

    factor: PositiveFloat = Field(default=1.0, kw_only=False)
    """Factor of the squared error; 0.5 gives the 1/2 (y_hat - y)² of many textbooks."""

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        error = np.subtract(y_hat, y, out=context.empty(y_hat.shape))
        losses = row_means(np.multiply(error, error, out=context.empty(error.shape)), context, self.factor)

        def backward(weight: float | Array) -> Array:
            return np.multiply(error, scaled(weight, 2 * self.factor / y.shape[-1], context), out=error)

        return losses, backward
