"""The contract of an optimizer: a rule that changes all parameters to lower the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.components.field_types import NonNegativeFloat


class Optimizer(Component, family="optimizer"):
    """A rule that changes the flat vector of parameters to lower the loss: step by step, or as a whole minimization."""

    default_lr: ClassVar[float | None] = None  # None if there is no learning rate
    elsewhere: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("lr", "learning_rate"), "lr is a key of the config, and an argument of fit"
    )

    def __init_subclass__(cls, *, name: str = "", **options: Any) -> None:
        if name and not issubclass(cls, Stepper | Minimizer):
            raise TypeError(f"the optimizer '{name}' must be a Stepper or a Minimizer")
        super().__init_subclass__(name=name, **options)


class Stepper(Optimizer):
    """An optimizer that makes a step for each batch, along the gradient of the batch."""

    needs = ("default_lr", "step")
    default_lr: ClassVar[float]
    by_entry: ClassVar[tuple[str, ...]] = ()  # formulas of single entries, see nn/entry_formulas.py

    weight_decay: NonNegativeFloat = 0.0
    """Shrink the weights (not biases or normalization) by this share times lr before each step."""

    def begin(self, parameters: Array) -> dict[str, Array]:
        """Return the memory before the first step, as arrays by name; every step changes them in place.

        The next step depends on nothing but this memory, the parameters, the gradient and lr.
        """
        return {}

    def decay(self, weights: Array, lr: float) -> None:
        """Apply decoupled weight decay in place: w <- w - lr · weight_decay · w.

        Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), in PyTorch's form.
        """
        if self.weight_decay:
            np.multiply(weights, 1 - lr * self.weight_decay, out=weights)

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """Change `parameters` (n,) in place. `gradient` (n,) may be overwritten, as the next pass computes it again."""
        raise NotImplementedError


# Objective(w, g) writes the gradient at the parameters w (n,) into g (n,) and returns the loss there.
Objective = Callable[[Array, Array], float]


class Minimizer(Optimizer):
    """An optimizer that minimizes the loss of all rows as a function, and chooses its own steps."""

    needs = ("minimize",)
    elsewhere: ClassVar[Mapping[str, str]] = {}  # the key lr is refused, too

    def minimize(self, objective: Objective, start: Array, iterations: int, watch: Callable[[Array], bool]) -> bool:
        """Minimize `objective` from `start` (n,) in at most `iterations` iterations, and return whether it converged.

        Call `watch` with the parameters (n,) after each iteration, and stop if it returns True. The result is the last
        point that `watch` was called with.
        """
        raise NotImplementedError
