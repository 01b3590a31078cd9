"""Ranges of numbers as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Text
from nnfs_cli.data.parsing.base import Parser, Reading
from nnfs_cli.data.parsing.evidence import Evidence, ShapeFacts
from nnfs_cli.data.parsing.number import EXACT, Number
from nnfs_cli.data.parsing.number_settings import with_digits
from nnfs_cli.data.parsing.number_shape import NumberShape, read_shape
from nnfs_cli.data.parsing.shapes import runs

_DASHES = "-\u2013\u2014\u2212~"
_BETWEEN = re.compile(
    rf"\s*(?:[{_DASHES}]|\.\.\.?|\u2026|\b(?:to|bis|until|till|through|und|and|à|a|al|до)\b)\s*", re.IGNORECASE
)
_ABOVE = re.compile(
    r"(?:>=?|≥|over|above|more than|from|at least|über|ab|mehr als|plus de|más de|oltre)\s*(?P<one>\S.*)|"
    r"(?P<two>.*\S)\s*(?:\+|and (?:over|above|more)|or (?:over|above|more)|und mehr|et plus|y más|e oltre)",
    re.IGNORECASE,
)
_BELOW = re.compile(
    r"(?:<=?|≤|under|below|less than|up to|at most|unter|bis(?: zu)?|weniger als|moins de|menos de)\s*(?P<one>\S.*)",
    re.IGNORECASE,
)
_FROM = re.compile(r"(?:from|between|von|zwischen|de|entre|da|tra)\s+", re.IGNORECASE)
_INTERVAL = re.compile(r"([\[(])(.*?)\s*[,;]\s*(.*?)([\])])")


class Side(NamedTuple):
    """One side of a range: the shape of its number, and which digits of the whole shape it has, (n,).

    A unit or a currency that stands at the other side only belongs to both.
    """

    shape: str
    digits: tuple[int, ...]


class Range(Parser, name="range", main="unit"):
    """Read ranges of numbers as two columns, `NAME low` and `NAME high`.

    10-20, 10 to 20, $10k - $20k, 5-7 kg, [10, 20) and 15 are ranges; 65+ and < 10 have an empty cell on one side.
    """

    kind = "number"
    examples = ("range", "range: {unit: kg}")

    unit: Text | None = Field(default=None, kw_only=False)
    """Unit that the numbers are in; see `number`."""
    decimal: Literal[".", ","] | None = None
    """Decimal mark; see `number`."""

    def outputs(self, name: str) -> tuple[str, ...]:
        """Return the names of the two columns."""
        return f"{name} low", f"{name} high"

    @property
    def is_settled(self) -> bool:
        """Whether the unit and the decimal mark are known."""
        return self._number.is_settled

    @property
    def _number(self) -> Number:
        return Number(unit=self.unit, decimal=self.decimal)

    def settle(self, evidence: Evidence) -> Self:
        """Return the parser with the decimal mark and the unit of the numbers on both sides."""
        numbers = Evidence()
        for shape, facts in evidence.shapes.items():
            for side in filter(None, sides_of(shape, self.decimal) or ()):
                numbers.add_facts(side.shape, _facts_of(side, shape, facts))
        settled = self._number.settle(numbers)
        return self.model_copy(update={"unit": settled.unit, "decimal": settled.decimal})

    def reading(self, shape: str) -> Reading | None:
        """Return how to read the ranges of a shape, or None if they are none."""
        sides = sides_of(shape, self.decimal)
        readings = [side and self._number.reading(side.shape) for side in sides or ()]
        if sides is None or any(side and not reading for side, reading in zip(sides, readings, strict=True)):
            return None

        def values(digits: Array, texts: Sequence[str]) -> tuple[Array, ...]:
            low, high = (
                reading(digits[:, list(side.digits)], texts)[0] if side and reading else np.full(len(texts), np.nan)
                for side, reading in zip(sides, readings, strict=True)
            )
            wrong = low > high
            if None not in sides:
                wrong |= np.isnan(low) | np.isnan(high)
            return np.where(wrong, np.nan, low), np.where(wrong, np.nan, high)

        return values

    def expected(self, example: str = "") -> str:
        """Return what messages expect in a cell."""
        return f"ranges of {self._number.expected().partition(',')[0]}, such as {example or self.write((10, 20))}"

    def write(self, value: Any) -> str:
        """Return the range from the first to the second of two numbers; NaN is an open side."""
        low, high = value
        if low != low and high != high:
            return ""
        if low != low:
            return f"<= {self._number.write(high)}"
        return (
            f">= {self._number.write(low)}"
            if high != high
            else f"{self._number.write(low)} to {self._number.write(high)}"
        )


@lru_cache(4_096)
def sides_of(shape: str, decimal: str | None) -> tuple[Side | None, Side | None] | None:
    """Return the two sides of a range, of which one may be open; None if a shape is no range."""
    text = shape.strip()
    found = _INTERVAL.fullmatch(text)
    if found is not None:
        return _both(text, found.span(2), found.span(3), decimal)
    start = prefix.end() if (prefix := _FROM.match(text)) else 0
    for separator in _BETWEEN.finditer(text, start):
        both = _both(text, (start, separator.start()), (separator.end(), len(text)), decimal)
        if both is not None:
            return both
    for pattern, is_low in ((_ABOVE, True), (_BELOW, False)):
        if (found := pattern.fullmatch(text)) is not None:
            side = _alone(text, found.span("one") if found["one"] else found.span("two"), decimal)
            if side is not None:
                return (side, None) if is_low else (None, side)
    side = _alone(text, (0, len(text)), decimal)
    return None if side is None else (side, side)


def _number_in(text: str, decimal: str | None) -> NumberShape | None:
    for mark in [decimal] if decimal else (".", ","):
        found = read_shape(text, mark)
        if found is not None and not found.has_exponent and found.n_digits <= EXACT:
            return found
    return None


def _alone(text: str, span: tuple[int, int], decimal: str | None) -> Side | None:
    part = text[slice(*span)]
    if _number_in(part, decimal) is None:
        return None
    first = text.count("0", 0, span[0])
    return Side(part, tuple(range(first, first + part.count("0"))))


def _both(text: str, left: tuple[int, int], right: tuple[int, int], decimal: str | None) -> tuple[Side, Side] | None:
    """Return the sides of a range with two numbers, of which one may lack its currency or its unit."""
    first, second = _alone(text, left, decimal), _alone(text, right, decimal)
    low, high = (_number_in(text[slice(*span)], decimal) for span in (left, right))
    if first is None or second is None or low is None or high is None:
        return None
    if high.behind and not low.behind:
        own = second.digits[len(second.digits) - high.n_behind :]
        first = Side(f"{first.shape.rstrip()} {high.behind}", (*first.digits, *own))
    if low.before and not high.before:
        second = Side(f"{low.before}{second.shape.lstrip()}", second.digits)
    return first, second


def _facts_of(side: Side, shape: str, facts: ShapeFacts) -> ShapeFacts:
    """Return the facts of one side of the ranges of a shape."""
    places = {run.first: i for i, run in enumerate(runs(shape))}
    chosen = [places[side.digits[run.first]] for run in runs(side.shape)]
    digits = re.findall("[0-9]", facts.example)
    example = with_digits(side.shape, "".join(digits[i] for i in side.digits))
    return ShapeFacts(facts.n_cells, example, facts.low[chosen], facts.high[chosen], facts.sizes[chosen])
