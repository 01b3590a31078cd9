"""The Huber loss: squared for small errors, absolute for large ones."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.losses.base import Loss, LossBackward, row_means, scaled


class Huber(Loss, name="huber", main="delta"):
    """Squared for small errors, else absolute: L = e²/2 where |e| <= delta, else delta (|e| - delta/2), e = y_hat - y.

    L is averaged over the targets of a row. With c = e clipped to ±delta, L = 1/n Σ_i c_i (e_i - c_i/2).
    Gradient: dL/dy_hat = c / n with c = e clipped to ±delta.
    Shapes: y_hat and y (batch, n); L (batch,).
    Source: Huber, "Robust Estimation of a Location Parameter" (1964).
    """

    examples = ("huber", "huber: 0.5")
    by_entry = (
        "L = 1 / n Σ_i c_i (e_i - c_i / 2) with e_i = y_hat_i - y_i",
        "dy_hat_i = c_i / n · w",
    )
    task = "regression"

    delta: PositiveFloat = Field(default=1.0, kw_only=False)
    """Absolute error above which L is linear, in units of the preprocessed target (standard deviations by default)."""

    def constant_levels(self) -> tuple[float, ...]:
        """Return 0.5: the best constant lies between median and mean, and outliers do not move it far."""
        return (0.5,)

    def named_numbers(self, y_hat: Array, y: Array) -> dict[str, Array | float]:
        """Return c (batch, n), the clipped errors."""
        return {"c": np.clip(y_hat - y, -self.delta, self.delta)}

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        error = np.subtract(y_hat, y, out=context.empty(y_hat.shape))
        clipped = np.clip(error, -self.delta, self.delta, out=context.empty(error.shape))
        np.subtract(error, np.multiply(clipped, 0.5, out=context.empty(error.shape)), out=error)
        losses = row_means(np.multiply(clipped, error, out=error), context)

        def backward(weight: float | Array) -> Array:
            return np.multiply(clipped, scaled(weight, 1 / y.shape[-1], context), out=clipped)

        return losses, backward
