"""Adagrad: the larger the past gradients of a parameter, the smaller its steps."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat, PositiveFloat
from nnfs_cli.training.optimizers.base import Stepper


class Adagrad(Stepper, name="adagrad"):
    """Adaptive gradient: s <- s + g², w <- w - lr · g / (√s + eps), g = dL/dw.

    Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods" (2011); eps as in PyTorch.
    """

    examples = ("adagrad", "adagrad: {initial: 0.1}")
    by_entry = (
        "s' = s + g²",
        "w' = w - lr g / (sqrt(s') + eps)",
    )
    default_lr = 0.01

    initial: NonNegativeFloat = 0.0
    """First value of s. Above 0, it makes the first steps shorter."""
    eps: PositiveFloat = 1e-10
    """Number that prevents a division by zero."""

    def begin(self, parameters: Array) -> dict[str, Array]:
        """Return the sum of squares s, and a buffer."""
        return {"s": np.full_like(parameters, self.initial), "buffer": np.zeros_like(parameters)}

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """Make a step of at most lr in every parameter, in place."""
        s, buffer = state["s"], state["buffer"]
        np.add(s, np.square(gradient, out=buffer), out=s)
        denominator = np.add(np.sqrt(s, out=buffer), self.eps, out=buffer)
        np.multiply(np.divide(gradient, denominator, out=gradient), lr, out=gradient)
        np.subtract(parameters, gradient, out=parameters)
