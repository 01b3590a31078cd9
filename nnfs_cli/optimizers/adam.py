"""Adam: each parameter gets a step length of its own, by how large its gradients have been."""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.optimizers.base import Stepper
from nnfs_cli.parameters import Array
from nnfs_cli.settings import Fraction, PositiveFloat


class Adam(Stepper, name="adam"):
    """Adaptive moments: m <- b1 · m + (1 - b1) · g, v <- b2 · v + (1 - b2) · g², w <- w - lr · m̂ / (√v̂ + eps).

    g is dL/dw, and m̂ = m / (1 - b1^t), v̂ = v / (1 - b2^t) in step t make up for the zeros that m and v begin with.
    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1.
    """

    examples = ("adam", "adam: {beta1: 0.95, beta2: 0.99}")
    default_lr = 0.001

    beta1: Fraction = 0.9
    """How much of the gradients' mean m a step keeps."""
    beta2: Fraction = 0.999
    """How much of the squared gradients' mean v a step keeps."""
    eps: PositiveFloat = 1e-8
    """Keeps a parameter without gradients from being divided by zero."""

    def begin(self, parameters: Array) -> dict[str, Array]:
        """Both moments, and the number t of steps done."""
        return {"m": np.zeros_like(parameters), "v": np.zeros_like(parameters), "t": np.zeros((), np.int64)}

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """One step of about lr in every parameter."""
        m, v, t = state["m"], state["v"], state["t"]
        t += 1
        # (m · b1 / (1 - b1) + g) · (1 - b1) is the same m, and needs no buffer for (1 - b1) · g.
        np.multiply(m, self.beta1 / (1 - self.beta1), out=m)
        np.multiply(np.add(m, gradient, out=m), 1 - self.beta1, out=m)
        np.multiply(gradient, gradient, out=gradient)
        np.multiply(gradient, 1 - self.beta2, out=gradient)
        np.add(np.multiply(v, self.beta2, out=v), gradient, out=v)
        denominator = np.sqrt(v, out=gradient)
        np.multiply(denominator, 1 / math.sqrt(1 - self.beta2 ** int(t)), out=denominator)
        np.add(denominator, self.eps, out=denominator)
        change = np.divide(m, denominator, out=denominator)
        np.multiply(change, lr / (1 - self.beta1 ** int(t)), out=change)
        np.subtract(parameters, change, out=parameters)
