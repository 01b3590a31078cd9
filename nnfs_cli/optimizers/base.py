"""What an optimizer is: one step downhill, on all parameters at once."""

from __future__ import annotations

from typing import ClassVar

from nnfs_cli.component import Component
from nnfs_cli.parameters import Array


class Optimizer(Component, family="optimizer"):
    """A rule that moves the flat vector of parameters against the flat vector of their gradients."""

    default_lr: ClassVar[float]

    def begin(self, parameters: Array) -> dict[str, Array]:
        """The optimizer's memory before the first step, by name: all that the next step depends on but the gradient."""
        return {}

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        """Change `parameters` (n,) in place. `gradient` (n,) may be used as scratch: the next pass overwrites it."""
        raise NotImplementedError
