"""Adam: each parameter has its own step length, which depends on the size of its past gradients."""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Fraction, PositiveFloat
from nnfs_cli.training.optimizers.base import Stepper


class Adam(Stepper, name="adam"):
    """Adaptive moments: m <- b1 · m + (1 - b1) · g, v <- b2 · v + (1 - b2) · g², w <- w - lr · m̂ / (√v̂ + eps).

    g is dL/dw, and m̂ = m / (1 - b1^t), v̂ = v / (1 - b2^t) in step t correct for m and v, which start at zero.
    With `weight_decay` this is AdamW: the decay is separate from g. PyTorch's Adam adds it to g, as an l2 penalty does.
    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1.
    """

    examples = ("adam", "adam: {beta1: 0.95, beta2: 0.99}")
    by_entry = (
        "m' = beta1 m + (1 - beta1) g",
        "v' = beta2 v + (1 - beta2) g²",
        "w' = w - lr m' / (1 - beta1^t') / (sqrt(v' / (1 - beta2^t')) + eps)",
    )
    default_lr = 0.001

    beta1: Fraction = 0.9
    """Share of the mean gradient m that a step keeps."""
    beta2: Fraction = 0.999
    """Share of the mean squared gradient v that a step keeps."""
    eps: PositiveFloat = 1e-8
    """Number that prevents a division by zero."""

    def begin(self, parameters: Array) -> dict[str, Array]:
        """Return both moments, and the number t of steps."""
        return {"m": np.zeros_like(parameters), "v": np.zeros_like(parameters), "t": np.zeros((), np.int64)}

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """Make a step of about lr in every parameter, in place."""
        m, v = state["m"], state["v"]
        ratio, new1, keep2, new2, eps, rate = self._numbers(state, lr)
        # (m · b1 / (1 - b1) + g) · (1 - b1) is the same m, without a buffer for (1 - b1) · g.
        np.multiply(m, ratio, out=m)
        np.multiply(np.add(m, gradient, out=m), new1, out=m)
        np.multiply(gradient, gradient, out=gradient)
        np.multiply(gradient, new2, out=gradient)
        np.add(np.multiply(v, keep2, out=v), gradient, out=v)
        denominator = np.add(np.sqrt(v, out=gradient), eps, out=gradient)
        change = np.divide(m, denominator, out=denominator)
        np.multiply(change, rate, out=change)
        np.subtract(parameters, change, out=parameters)

    def _numbers(self, state: dict[str, Array], lr: float) -> tuple[float, ...]:
        """Count a step, and return its constants: m̂ / (√v̂ + eps) equals rate / lr · m / (√v + eps · root)."""
        state["t"] += 1
        t = int(state["t"])
        new1, root = 1 - self.beta1, math.sqrt(1 - self.beta2**t)
        rate = lr * root / (1 - self.beta1**t)
        return self.beta1 / new1, new1, self.beta2, 1 - self.beta2, self.eps * root, rate
