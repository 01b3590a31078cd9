"""NAdam: Adam with Nesterov's momentum, which looks one step ahead."""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.training.optimizers.adam import Adam


class NAdam(Adam, name="nadam"):
    """Adam with Nesterov's momentum: w <- w - lr · [u' · m / (1 - U u') + (1 - u) · g / (1 - U)] / (√v̂ + eps).

    m, v and v̂ are those of adam, g is dL/dw. The momentum warms up: u = b1 · (1 - 0.96^(t · momentum_decay) / 2) in
    step t, u' is the u of the next step, and U is the product of all u so far.
    Source: Dozat, "Incorporating Nesterov Momentum into Adam" (2016), in PyTorch's form.
    """

    examples = ("nadam", "nadam: {momentum_decay: 0.01}")
    by_entry = (
        "m' = beta1 m + (1 - beta1) g",
        "v' = beta2 v + (1 - beta2) g²",
        "w' = w - lr (u m' / (1 - product' u) + (1 - product' / product) g / (1 - product'))"
        " / (sqrt(v' / (1 - beta2^t')) + eps) with u = beta1 (1 - 0.96^((t' + 1) momentum_decay) / 2)",
    )
    default_lr = 0.002

    momentum_decay: NonNegativeFloat = 0.004
    """Speed at which the momentum u rises from half of beta1 to beta1."""

    def begin(self, parameters: Array) -> dict[str, Array]:
        """Return the memory of adam, the product U, and a buffer."""
        return {**super().begin(parameters), "product": np.ones(()), "buffer": np.zeros_like(parameters)}

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """Make a step of about lr in every parameter, in place."""
        m, v, t, product, buffer = (state[name] for name in ("m", "v", "t", "product", "buffer"))
        t += 1
        now, ahead = (self.beta1 * (1 - 0.96 ** (i * self.momentum_decay) / 2) for i in (int(t), int(t) + 1))
        product *= now
        np.multiply(gradient, 1 - self.beta1, out=buffer)
        np.add(np.multiply(m, self.beta1, out=m), buffer, out=m)
        np.multiply(np.square(gradient, out=buffer), 1 - self.beta2, out=buffer)
        np.add(np.multiply(v, self.beta2, out=v), buffer, out=v)
        np.multiply(gradient, lr * (1 - now) / (1 - float(product)), out=gradient)
        np.multiply(m, lr * ahead / (1 - float(product) * ahead), out=buffer)
        change = np.add(gradient, buffer, out=gradient)
        denominator = np.multiply(np.sqrt(v, out=buffer), 1 / math.sqrt(1 - self.beta2 ** int(t)), out=buffer)
        np.divide(change, np.add(denominator, self.eps, out=denominator), out=change)
        np.subtract(parameters, change, out=parameters)
