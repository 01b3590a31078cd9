"""Whole numbers between two ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from nnfs_cli.components.field_types import MAX_INT, PositiveInt, Switch
from nnfs_cli.components.section import invalid
from nnfs_cli.search.base import TWO, Distribution, Draws, Scalar, in_range, require_order

End = Annotated[int, Field(strict=True, ge=-MAX_INT, le=MAX_INT)]


class Whole(Distribution, name="whole", main="between"):
    """Whole numbers between two ends, such as numbers of units."""

    examples = ("whole: [8, 64]", "whole: {between: [8, 64], step: 8}", "whole: {between: [8, 512], log: true}")

    between: Annotated[tuple[End, End], TWO] = Field(kw_only=False)
    """The smallest and the largest number."""
    step: PositiveInt = 1
    """Distance between numbers, counted from the smallest."""
    log: Switch = False
    """Whether the logarithms of the numbers are equally likely, instead of the numbers."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        low, high = self.between
        require_order(low, high)
        if self.log and (low < 1 or self.step > 1):
            found = f"the smallest is {low}" if low < 1 else f"the step is {self.step}"
            raise invalid(f"with log, the smallest number must be at least 1 and the step must be 1, but {found}")
        if high - low < self.step:
            raise invalid(f"a step of {self.step} leaves only {low}; give a smaller step")
        return self

    @property
    def largest(self) -> int:
        """The largest number that the steps reach."""
        low, high = self.between
        return high - (high - low) % self.step

    def draw(self, draws: Draws, name: str) -> int:
        """Draw a number."""
        return draws.whole(name, self.between[0], self.largest, self.step, self.log)

    def ends(self) -> list[Any]:
        """Return both ends."""
        return [self.between[0], self.largest]

    def names(self, name: str) -> list[str]:
        """Return the name of the setting."""
        return [name]

    def draws_of(self, name: str, value: object) -> Mapping[str, Scalar] | None:
        """Return the number itself if it is one of them."""
        reached = in_range(value, self.between[0], self.largest) and isinstance(value, int)
        return {name: value} if reached and (value - self.between[0]) % self.step == 0 else None  # type: ignore[operator,dict-item]
