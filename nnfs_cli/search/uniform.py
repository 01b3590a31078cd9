"""Numbers between two ends, all equally likely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from nnfs_cli.components.field_types import FiniteFloat
from nnfs_cli.search.base import TWO, Distribution, Draws, Scalar, in_range, require_order


class Uniform(Distribution, name="uniform", main="between"):
    """Numbers between two ends, all equally likely."""

    examples = ("uniform: [0, 0.5]",)

    between: Annotated[tuple[FiniteFloat, FiniteFloat], TWO] = Field(kw_only=False)
    """The smallest and the largest number."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        require_order(*self.between)
        return self

    def draw(self, draws: Draws, name: str) -> float:
        """Draw a number."""
        return draws.number(name, *self.between, log=False)

    def ends(self) -> list[Any]:
        """Return both ends."""
        return [*self.between]

    def names(self, name: str) -> list[str]:
        """Return the name of the setting."""
        return [name]

    def draws_of(self, name: str, value: object) -> Mapping[str, Scalar] | None:
        """Return the number itself if it is between the ends."""
        return {name: float(value)} if in_range(value, *self.between) else None  # type: ignore[arg-type]
