"""RMSprop: each gradient is divided by the size of its recent gradients."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Fraction, PositiveFloat
from nnfs_cli.training.optimizers.base import Stepper


class RMSprop(Stepper, name="rmsprop"):
    """Root mean square of the gradient: v <- alpha · v + (1 - alpha) · g², w <- w - lr · g / (√v + eps), g = dL/dw.

    Source: Hinton, "Neural Networks for Machine Learning", lecture 6e (2012); alpha and eps as in PyTorch.
    """

    examples = ("rmsprop", "rmsprop: {alpha: 0.9}")
    by_entry = (
        "v' = alpha v + (1 - alpha) g²",
        "w' = w - lr g / (sqrt(v') + eps)",
    )
    default_lr = 0.001

    alpha: Fraction = 0.99
    """Share of the mean square v that a step keeps."""
    eps: PositiveFloat = 1e-8
    """Number that prevents a division by zero."""

    def begin(self, parameters: Array) -> dict[str, Array]:
        """Return the mean square v, and a buffer."""
        return {"v": np.zeros_like(parameters), "buffer": np.zeros_like(parameters)}

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """Make a step of about lr in every parameter, in place."""
        v, buffer = state["v"], state["buffer"]
        np.multiply(np.square(gradient, out=buffer), 1 - self.alpha, out=buffer)
        np.add(np.multiply(v, self.alpha, out=v), buffer, out=v)
        denominator = np.add(np.sqrt(v, out=buffer), self.eps, out=buffer)
        np.multiply(np.divide(gradient, denominator, out=gradient), lr, out=gradient)
        np.subtract(parameters, gradient, out=parameters)
