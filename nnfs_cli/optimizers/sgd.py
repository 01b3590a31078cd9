"""Stochastic gradient descent, the step that all the others refine."""

from __future__ import annotations

import numpy as np

from nnfs_cli.optimizers.base import Optimizer
from nnfs_cli.parameters import Array


class SGD(Optimizer, name="sgd"):
    """Gradient descent on batches: w <- w - lr · dL/dw.

    Source: Robbins and Monro, "A Stochastic Approximation Method" (1951).
    """

    examples = ("sgd",)
    default_lr = 0.01

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """One step of length lr against the gradient."""
        np.multiply(gradient, lr, out=gradient)
        np.subtract(parameters, gradient, out=parameters)
