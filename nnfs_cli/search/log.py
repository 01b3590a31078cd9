"""Numbers between two ends whose logarithms are equally likely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.search.base import TWO, Distribution, Draws, Scalar, in_range, require_order


class Log(Distribution, name="log", main="between"):
    """Numbers between two positive ends whose logarithms are equally likely, such as learning rates."""

    examples = ("log: [0.0001, 0.01]",)

    between: Annotated[tuple[PositiveFloat, PositiveFloat], TWO] = Field(kw_only=False)
    """The smallest and the largest number."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        require_order(*self.between)
        return self

    def draw(self, draws: Draws, name: str) -> float:
        """Draw a number."""
        return draws.number(name, *self.between, log=True)

    def ends(self) -> list[Any]:
        """Return both ends."""
        return [*self.between]

    def names(self, name: str) -> list[str]:
        """Return the name of the setting."""
        return [name]

    def draws_of(self, name: str, value: object) -> Mapping[str, Scalar] | None:
        """Return the number itself if it is between the ends."""
        return {name: float(value)} if in_range(value, *self.between) else None  # type: ignore[arg-type]
