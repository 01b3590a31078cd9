"""The contract of a distribution, and of what draws from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import BeforeValidator

from nnfs_cli.components.component import Component
from nnfs_cli.components.section import invalid
from nnfs_cli.system.wording import shown

Scalar = str | int | float | bool | None


def _two(value: object) -> object:
    if isinstance(value, tuple | list) and len(value) == 2:
        return value
    raise invalid(f"expected the smallest and the largest value, as in [1, 10], found {shown(value)}")


TWO = BeforeValidator(_two)  # for a pair; pydantic's own message would not say what a pair is


class Draws(Protocol):
    """Something that draws values under names, such as a trial of Optuna."""

    def number(self, name: str, low: float, high: float, log: bool) -> float:
        """Return a number from `low` to `high`; with `log`, its logarithm is uniform."""

    def whole(self, name: str, low: int, high: int, step: int, log: bool) -> int:
        """Return one of low, low + step, ... up to `high`; with `log`, any whole number of the range."""

    def option(self, name: str, labels: Sequence[Scalar]) -> int:
        """Return the index of one of some labels."""


class Distribution(Component, family="distribution"):
    """A set of values for one setting, from which a search draws."""

    needs = ("draw", "ends", "names")

    def draw(self, draws: Draws, name: str) -> Any:
        """Draw a value, as plain values of a config. `name` is that of the setting."""
        raise NotImplementedError

    def ends(self) -> list[Any]:
        """Return the values at the ends of the distribution, or all of them if they have no order."""
        raise NotImplementedError

    def names(self, name: str) -> list[str]:
        """Return all names that `draw` may draw under."""
        raise NotImplementedError

    def draws_of(self, name: str, value: object) -> Mapping[str, Scalar] | None:
        """Return what must be drawn, by name, so that `draw` returns a value; None if it never does."""
        raise NotImplementedError


def in_range(value: object, low: float, high: float) -> bool:
    """Return whether a value is a number from `low` to `high`."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def require_order(low: float, high: float) -> None:
    """Raise an error for a validator unless the first end is smaller than the second."""
    if low >= high:
        raise invalid(f"expected the smaller end first, as in [{min(low, high):g}, {max(low, high) or 1:g}]")
