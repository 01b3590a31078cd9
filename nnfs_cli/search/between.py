"""Numbers between two ends, of which `uniform` and `log` say how likely each is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from nnfs_cli.search.base import Distribution, Draws, Scalar, in_range, require_order


class Between(Distribution):
    """Numbers between two ends."""

    logarithmic: ClassVar[bool]
    """Whether the logarithms of the numbers are equally likely, or the numbers themselves."""
    between: tuple[float, float] = Field(kw_only=False)
    """The smallest and the largest number."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        require_order(*self.between)
        return self

    def draw(self, draws: Draws, name: str) -> float:
        """Draw a number."""
        return draws.number(name, *self.between, log=self.logarithmic)

    def ends(self) -> list[Any]:
        """Return both ends."""
        return [*self.between]

    def names(self, name: str) -> list[str]:
        """Return the name of the setting."""
        return [name]

    def draws_of(self, name: str, value: object) -> Mapping[str, Scalar] | None:
        """Return the number itself if it is between the ends."""
        return {name: float(value)} if in_range(value, *self.between) else None  # type: ignore[arg-type]
