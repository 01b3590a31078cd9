"""Stochastic gradient descent, which all the other optimizers refine."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Fraction, Switch
from nnfs_cli.components.section import invalid
from nnfs_cli.training.optimizers.base import Stepper


class SGD(Stepper, name="sgd", main="momentum"):
    """Gradient descent on batches: w <- w - lr · dL/dw, or with momentum v <- momentum · v + dL/dw, w <- w - lr · v.

    With `nesterov` the step looks ahead: w <- w - lr · (dL/dw + momentum · v).
    Source: Robbins and Monro, "A Stochastic Approximation Method" (1951); Sutskever et al. (2013) for momentum, in
    PyTorch's form, in which v has no factor lr.
    """

    examples = ("sgd", "sgd: 0.9", "sgd: {momentum: 0.9, nesterov: true}")
    by_entry = (
        "velocity' = momentum velocity + g",
        "if nesterov: w' = w - lr (g + momentum velocity')",
        "w' = w - lr velocity'",
        "w' = w - lr g",
    )
    default_lr = 0.01

    momentum: Fraction = Field(default=0.0, kw_only=False)
    """Share of its velocity v that a step keeps. The usual value is 0.9."""
    nesterov: Switch = False
    """Look ahead along the velocity if true."""

    @model_validator(mode="after")
    def _looks_ahead_of_something(self) -> Self:
        if self.nesterov and not self.momentum:
            raise invalid("nesterov looks ahead along the momentum; set momentum too, for example to 0.9")
        return self

    def begin(self, parameters: Array) -> dict[str, Array]:
        """Return the velocity v, if there is momentum."""
        return {"velocity": np.zeros_like(parameters)} if self.momentum else {}

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """Make a step against the gradient, or along the velocity, in place."""
        direction = gradient
        if self.momentum:
            velocity = state["velocity"]
            np.add(np.multiply(velocity, self.momentum, out=velocity), gradient, out=velocity)
            if self.nesterov:
                np.subtract(parameters, np.multiply(gradient, lr, out=gradient), out=parameters)
                np.multiply(velocity, self.momentum, out=gradient)
            else:
                direction = velocity
        np.subtract(parameters, np.multiply(direction, lr, out=gradient), out=parameters)
