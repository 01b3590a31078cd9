"""What an optimizer is: a way downhill, for all parameters at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.components.field_types import NonNegativeFloat


class Optimizer(Component, family="optimizer"):
    """A rule that moves the flat vector of parameters downhill: by steps of its own, or a whole minimisation."""

    default_lr: ClassVar[float | None] = None  # None where there is no learning rate

    def __init_subclass__(cls, *, name: str = "", **options: Any) -> None:
        if name and not issubclass(cls, Stepper | Minimizer):
            raise TypeError(f"the optimizer '{name}' is to be a Stepper or a Minimizer")
        super().__init_subclass__(name=name, **options)


StepFunction = Callable[[Array, Array, dict[str, Array], float], None]  # Stepper.step


class Stepper(Optimizer):
    """An optimizer that makes one step for each batch, along the batch's gradient."""

    needs = ("default_lr", "step")
    default_lr: ClassVar[float]

    weight_decay: NonNegativeFloat = 0.0
    """Weights (not biases, nor normalisation) shrink by this times lr, apart from the gradient, before each step."""

    def begin(self, parameters: Array) -> dict[str, Array]:
        """The optimizer's memory before the first step, by name: all that the next step depends on but the gradient."""
        return {}

    def decay(self, weights: Array, lr: float) -> None:
        """Decoupled weight decay, in place: w <- w - lr · weight_decay · w.

        Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), in PyTorch's form.
        """
        if self.weight_decay:
            np.multiply(weights, 1 - lr * self.weight_decay, out=weights)

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """Change `parameters` (n,) in place. `gradient` (n,) may be used as scratch: the next pass overwrites it."""
        raise NotImplementedError

    def compiled(self, dtype: np.dtype[Any]) -> StepFunction | None:
        """What does the same as `step`, to the byte, in one compiled loop; None where there is none."""
        return None


# Objective(w, g) writes the gradient at the parameters w (n,) into g (n,) and returns the value there.
Objective = Callable[[Array, Array], float]


class Minimizer(Optimizer):
    """An optimizer that sees the loss of all rows as a function and goes about it in its own way."""

    needs = ("minimize",)

    def minimize(self, objective: Objective, start: Array, iterations: int, watch: Callable[[Array], bool]) -> bool:
        """Go down from `start` (n,), at most so many iterations, and call `watch` with the parameters after each.

        It ends when `watch` says True. What is reached is what `watch` has seen last. Returns whether it has converged.
        """
        raise NotImplementedError
