"""Numbers between two ends whose logarithms are equally likely."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.search.base import TWO
from nnfs_cli.search.between import Between


class Log(Between, name="log", main="between"):
    """Numbers between two positive ends whose logarithms are equally likely, such as learning rates."""

    examples = ("log: [0.0001, 0.01]",)
    logarithmic = True

    between: Annotated[tuple[PositiveFloat, PositiveFloat], TWO] = Field(kw_only=False)
    """The smallest and the largest number."""
