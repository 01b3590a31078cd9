"""Numbers as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Text
from nnfs_cli.data.parsing.base import Parser, Reading
from nnfs_cli.data.parsing.evidence import Evidence
from nnfs_cli.data.parsing.number_settings import settle_decimal, settle_unit, units_in, with_digits
from nnfs_cli.data.parsing.number_shape import NumberShape, read_shape
from nnfs_cli.data.parsing.shapes import whole
from nnfs_cli.data.parsing.units import NAMES, ONE, unit_named

EXACT = 15  # digits of a whole number that a float holds exactly
LARGEST_POWER = 22  # power of ten that a float holds exactly


class Number(Parser, name="number", main="unit"):
    """Read numbers: with marks between thousands, currencies, units, percent signs, and minus signs in any place.

    1,638.23, 1.638,23, 1 638,23, 1'638.23, 12,34,567, $2,493.94, 20 %, 5.7 kg, 1.2M, (15), 15- and -15 are numbers.
    `20%` is 20, and `1.2M` is 1200000. All cells must be in one unit, or in units that convert into one another, such
    as g and kg.
    """

    kind = "number"
    examples = ("number", "number: {decimal: ','}", "number: {unit: kg}")

    unit: Text | None = Field(default=None, kw_only=False)
    """Unit that the numbers are in, such as `kg`, `USD` or `%`; `one` stands for plain numbers. Cells in a unit that
    converts into it are converted, and cells without a unit are taken to be in it. By default the most frequent one."""
    decimal: Literal[".", ","] | None = None
    """Decimal mark. The other one of point and comma, spaces and apostrophes may stand between thousands. By default
    the mark with which all cells are numbers."""
    thousands: Literal[".", ",", " ", "'", "_", ""] | None = None
    """Only mark that may stand between thousands; an empty text allows none."""

    @property
    def is_settled(self) -> bool:
        """Whether the unit and the decimal mark are known."""
        return self.unit is not None and self.decimal is not None

    def settle(self, evidence: Evidence) -> Self:
        """Return the parser with the decimal mark and the unit of the cells; see `number_settings`."""
        decimal = self.decimal or settle_decimal(evidence, self.thousands, self.unit)
        unit = self.unit or settle_unit(evidence, decimal, self.thousands)
        return self.model_copy(update={"decimal": decimal, "unit": unit})

    def reading(self, shape: str) -> Reading | None:
        """Return how to read the numbers of a shape, or None if they are not numbers in the unit of the column."""
        number = read_shape(shape, self.decimal or ".", self.thousands)
        if number is None:
            return None
        if not number.n_behind:
            scale = self._scale(number.before, number.behind)
            return None if scale is None else lambda digits, texts: (self._values(number, digits, texts, scale),)

        def with_digits_behind(digits: Array, texts: Sequence[str]) -> tuple[Array, ...]:
            values = np.full(len(texts), np.nan)
            behind = digits[:, -number.n_behind :]
            for found in np.unique(behind, axis=0):
                scale = self._scale(number.before, with_digits(number.behind, "".join(map(str, found.tolist()))))
                rows = np.flatnonzero((behind == found).all(axis=1))
                if scale is not None:
                    values[rows] = self._values(number, digits[rows], [texts[row] for row in rows.tolist()], scale)
            return (values,)

        return with_digits_behind

    def _scale(self, before: str, behind: str) -> float | None:
        """Return the factor for a number with these texts around it; None if they are no unit of the column."""
        wanted, units = unit_named(self.unit or ONE)[0], units_in(before, behind)
        if units and units[0] == (ONE, ONE, 1.0):  # without a unit, it is in that of the column
            return 1.0
        found = next((unit for unit in units if unit.dimension == wanted.dimension), None)
        return None if found is None else found.factor / wanted.factor

    def _values(self, number: NumberShape, digits: Array, texts: Sequence[str], scale: float) -> Array:
        """Return the numbers (n,) that digits (n, number of digits) write."""
        sign = -1.0 if number.negative else 1.0
        if number.has_exponent or number.n_digits > EXACT or number.n_decimals > LARGEST_POWER:
            values = np.array([self._float(text[number.start : number.end]) for text in texts]) * sign * scale
        else:
            # The whole number and the power of ten are exact, so that the quotient is the nearest float.
            mantissa = whole(digits[:, : number.n_digits]).astype(np.float64) * (sign * scale if scale >= 1 else sign)
            values = mantissa / 10.0**number.n_decimals / (1 if scale >= 1 else 1 / scale)
        if number.groups:
            values[digits[:, 0] == 0] = np.nan
        values[~np.isfinite(values)] = np.nan
        return values

    def _float(self, text: str) -> float:
        """Return the number in a text without a sign."""
        plain = "".join(c for c in text if c.isdigit() or c in "eE+-" or c == self.decimal)
        return float(plain.replace(self.decimal or ".", ".").rstrip("-\u2013\u2014"))

    def expected(self, example: str = "") -> str:
        """Return what messages expect in a cell."""
        return f"numbers{self._in_unit()}, such as {example or self.write(1234.5)}"

    def _in_unit(self) -> str:
        unit = self.unit or ONE
        return "" if unit == ONE else f" in {NAMES.get(unit, unit)}"

    def write(self, value: Any) -> str:
        """Return the shortest text that is read as this number, with the marks and the unit of the column."""
        if value != value:
            return ""
        text = format(Decimal(repr(abs(float(value)))), "f")
        whole_part, _, decimals = text.partition(".")
        decimals = decimals.rstrip("0")
        if self.thousands:
            whole_part = f"{int(whole_part):,}".replace(",", self.thousands)
        unit = self.unit or ONE
        decimal = self.decimal or "."
        written = whole_part + (f"{decimal}{decimals}" if decimals else "")
        return f"{'-' if value < 0 else ''}{written}{'' if unit == ONE else f' {unit}'}"
