"""The base class of parsers: they read the texts of a column as numbers or dates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.data.dates import ZONED, local, utc, zoned
from nnfs_cli.data.parsing.evidence import Evidence
from nnfs_cli.data.parsing.shapes import by_shape
from nnfs_cli.data.table import Kind

Reading = Callable[[Array, Sequence[str]], tuple[Array, ...]]
"""How texts of one shape are read: from their digits (n, number of digits) and the texts themselves (n,) to the values
of each output, (n,): float64, or `ZONED`. NaN or NaT marks a text that cannot be read."""


class Parser(Component, family="parser"):
    """A way to read the texts of a column as numbers or dates.

    Settings that a config leaves out are settled by all cells together, never cell by cell.
    """

    kind: ClassVar[Kind]
    """The kind of column that comes out."""
    needs = ("settle", "reading", "expected", "write")

    invalid: Literal["error", "empty"] = "error"
    """Treatment of a cell that cannot be read: an error that names its line, or an empty cell, with a warning."""

    def outputs(self, name: str) -> tuple[str, ...]:
        """Return the names of the columns that take the place of the column of this name."""
        return (name,)

    @property
    def is_settled(self) -> bool:
        """Whether no setting is left to be settled."""
        return True

    @property
    def empty_value(self) -> float:
        """The number that an empty cell stands for; NaN if it is missing, as it always is among dates."""
        return np.nan

    @property
    def words(self) -> tuple[str, str] | None:
        """What people call 0 and 1, if a column holds nothing else."""
        return None

    def settle(self, evidence: Evidence) -> Self:
        """Return the parser with every setting that the cells of a column settle.

        Raises `ValueError`, the rest of a sentence about the column, if they cannot be read, and `OpenSettingError` if
        they can be read in several ways.
        """
        raise NotImplementedError

    def reading(self, shape: str) -> Reading | None:
        """Return how to read the texts of a shape, or None if they cannot be read."""
        raise NotImplementedError

    def parse(self, texts: Any) -> tuple[Array, ...]:
        """Return the values of each output, (n,) float64, datetime64[us] or `ZONED`, for texts (n,).

        `texts` are a sequence of them, or an array of large strings of Arrow. A text that cannot be read, and an empty
        cell of Arrow, has NaN or NaT in every output.
        """
        gap, kind = (("NaT", "NaT"), ZONED) if self.kind == "date" else (np.nan, np.dtype(np.float64))
        outputs = tuple(np.full(len(texts), np.array(gap, kind)) for _ in self.outputs(""))
        for same in by_shape(texts):
            reading = _reading(self, same.shape)
            if reading is None:
                continue
            for output, values in zip(outputs, reading(same.digits, same.texts), strict=True):
                output[same.rows] = values
        return tuple(zoned(utc(dates), local(dates)) for dates in outputs) if self.kind == "date" else outputs

    def expected(self, example: str = "") -> str:
        """Return what messages expect in a cell, as in "numbers, such as 1,234.5"; the `example` is of the column."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """Return a text that `parse` reads as this value; an empty text for NaN or NaT."""
        raise NotImplementedError

    def rewrite(self, value: Any, given: Any) -> str:
        """Return such a text in place of a `given` one, and in its language if there are several."""
        return self.write(value)


@lru_cache(4_096)
def _reading(parser: Parser, shape: str) -> Reading | None:
    return parser.reading(shape)
