"""Lion: every parameter moves by the same length, and the gradients decide only the sign."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Fraction
from nnfs_cli.training.optimizers.base import Stepper


class Lion(Stepper, name="lion"):
    """Evolved sign momentum: w <- w - lr · sign(b1 · m + (1 - b1) · g), m <- b2 · m + (1 - b2) · g, g = dL/dw.

    A good lr is a tenth to a third of a good lr for adam, and a good weight_decay is larger by the same factor.
    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), algorithm 2.
    """

    examples = ("lion", "lion: {beta1: 0.95, beta2: 0.98}")
    by_entry = (
        "w' = w - lr sign(beta1 m + (1 - beta1) g)",
        "m' = beta2 m + (1 - beta2) g",
    )
    default_lr = 0.0001

    beta1: Fraction = 0.9
    """Share of the momentum m in the direction of a step."""
    beta2: Fraction = 0.99
    """Share of the momentum m that a step keeps."""

    def begin(self, parameters: Array) -> dict[str, Array]:
        """Return the momentum m, and a buffer."""
        return {"m": np.zeros_like(parameters), "buffer": np.zeros_like(parameters)}

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """Make a step of exactly lr in every parameter whose direction is not 0, in place."""
        m, buffer = state["m"], state["buffer"]
        # With d = g - m, the direction is m + (1 - b1) · d and the next m is m + (1 - b2) · d.
        difference = np.subtract(gradient, m, out=gradient)
        direction = np.add(np.multiply(difference, 1 - self.beta1, out=buffer), m, out=buffer)
        np.multiply(np.sign(direction, out=direction), lr, out=direction)
        np.subtract(parameters, direction, out=parameters)
        np.add(m, np.multiply(difference, 1 - self.beta2, out=difference), out=m)
