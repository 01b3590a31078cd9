"""Numbers between two ends, all equally likely."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nnfs_cli.components.field_types import FiniteFloat
from nnfs_cli.search.base import TWO
from nnfs_cli.search.between import Between


class Uniform(Between, name="uniform", main="between"):
    """Numbers between two ends, all equally likely."""

    examples = ("uniform: [0, 0.5]",)
    logarithmic = False

    between: Annotated[tuple[FiniteFloat, FiniteFloat], TWO] = Field(kw_only=False)
    """The smallest and the largest number."""
