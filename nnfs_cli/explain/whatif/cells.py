"""What the cells of a column may become, and how far each of them is from the present one.

Cells are numbered by codes, float64, so that many rows fit into one array: a number is its own code, a date the number
of days, hours, minutes or seconds since 1970, and a category the index of its level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import DAY, local, utc, zoned
from nnfs_cli.data.table import Column, Table, text_of
from nnfs_cli.data.texts import Texts

UNITS = (DAY, 3_600_000_000, 60_000_000, 1_000_000)  # of dates, in microseconds: a day, an hour, a minute, a second
DIGITS = 6  # significant digits of the range of a column of measured numbers


class Cells(Protocol):
    """The cells that a column may hold."""

    @property
    def name(self) -> str:
        """The name of the column, as the net reads it."""
        ...

    @property
    def ordered(self) -> bool:
        """Whether there are cells between two others."""
        ...

    def grid(self, most: int) -> Array:
        """Return the codes (n,) of at most so many cells, other than the present one, that cover all of them."""
        ...

    def between(self, ends: tuple[float, float], most: int) -> Array:
        """Return at most so many codes (n,) from the first to the second end; NaN is the present cell."""
        ...

    def distance(self, codes: Array) -> Array:
        """Return the distance (n,) of cells (n,) from the present one, 0 to 1."""
        ...

    def position(self, code: float) -> float | None:
        """Return the share of training rows below a cell; NaN is the present cell. None if cells have no order."""
        ...

    def column(self, codes: Array) -> Column:
        """Return the cells (n,) as a column of a table."""
        ...


@dataclass(frozen=True)
class NumberCells:
    """The numbers that a column may hold: from `low` to `high`, in steps of 10^-decimals.

    `knots` (n,) are numbers and `shares` (n,) the shares of training rows below them, halves of equal ones counted.
    The distance of two numbers is the difference of their shares; that of neighbours, such as yes and no written as 1
    and 0, is 1 if there are no others, and so is that from an empty cell.
    """

    name: str
    present: float
    low: float
    high: float
    decimals: int
    knots: Array
    shares: Array
    ordered: bool = True

    def grid(self, most: int) -> Array:
        """Return at most so many numbers that divide the training rows evenly."""
        codes = self._allowed(np.interp(np.linspace(0, 1, most), self.shares, self.knots))
        return np.asarray(codes[codes != self.present])

    def between(self, ends: tuple[float, float], most: int) -> Array:
        """Return at most so many numbers from one end to the other, which are evenly spaced."""
        first, last = (self.present if math.isnan(end) else end for end in ends)
        if math.isnan(first):
            return np.array([last])
        codes = self._allowed(np.linspace(first, last, most))
        codes = codes[codes != self.present]
        return np.asarray(codes if first <= last else codes[::-1])

    def distance(self, codes: Array) -> Array:
        """Return the distances (n,) of numbers from the present one."""
        if math.isnan(self.present) or self.is_binary:
            return np.asarray(codes != self.present, np.float64)
        codes = np.append(codes, self.present)
        shares = np.interp(codes, self.knots, self.shares)
        return np.asarray(np.abs(shares[:-1] - shares[-1]))

    @property
    def is_binary(self) -> bool:
        """Whether there are only two numbers."""
        return self.decimals == 0 and self.high - self.low == 1

    def position(self, code: float) -> float | None:
        """Return the share of training rows below a number."""
        code = self.present if math.isnan(code) else code
        return None if math.isnan(code) or self.is_binary else float(np.interp(code, self.knots, self.shares))

    def column(self, codes: Array) -> Column:
        """Return the numbers as a column."""
        return codes

    def _allowed(self, codes: Array) -> Array:
        return np.unique(np.clip(np.round(codes, self.decimals), self.low, self.high))


@dataclass(frozen=True)
class DateCells(NumberCells):
    """The dates that a column may hold: from the first to the last of the training rows, in whole units.

    Codes count units of `unit` microseconds since 1970 in the local time of the present cell, which is `offset`
    microseconds ahead of UTC.
    """

    unit: int = DAY
    offset: int = 0

    def column(self, codes: Array) -> Column:
        """Return the dates as a column."""
        there = (codes * self.unit).astype(np.int64)
        return zoned((there - self.offset).astype("datetime64[us]"), there.astype("datetime64[us]"))


@dataclass(frozen=True)
class CategoryCells:
    """The categories that a column may hold: those of the training rows. Each is as far from the present one."""

    name: str
    levels: tuple[str, ...]
    ordered: bool = False

    def grid(self, most: int) -> Array:
        """Return the codes of the most frequent categories."""
        return np.arange(min(len(self.levels), most), dtype=np.float64)

    def between(self, ends: tuple[float, float], most: int) -> Array:
        """Return the second end only."""
        return np.array(ends[1:])

    def distance(self, codes: Array) -> Array:
        """Return 1 for each category."""
        return np.ones(len(codes))

    def position(self, code: float) -> float | None:
        """Return None."""
        return None

    def column(self, codes: Array) -> Column:
        """Return the categories as a column."""
        return Texts(codes.astype(np.int32), np.array(self.levels, object))


def cells_of(profile: Mapping[str, Any], row: Table) -> Cells | None:
    """Return what the cell of a row may become, by the profile of its column, as a run records it.

    None if there is nothing to choose from.
    """
    if profile["kind"] == "category":
        return _categories(profile, row)
    if profile.get("min") is None or profile["min"] == profile["max"]:
        return None
    return _numbers(profile, row) if profile["kind"] == "number" else _dates(profile, row)


def _categories(profile: Mapping[str, Any], row: Table) -> Cells | None:
    name = profile["name"]
    present = row.texts(name).at(0)
    counts = profile.get("counts", {})
    levels = tuple(level for level in sorted(counts, key=lambda level: -counts[level]) if level != present)
    return CategoryCells(name, levels) if levels else None


def _numbers(profile: Mapping[str, Any], row: Table) -> Cells:
    name, low, high = profile["name"], float(profile["min"]), float(profile["max"])
    present = float(row.numbers(name, gaps=True)[0])
    edges = [edge for edge in profile.get("edges", ()) if edge >= low]
    given = [low, high, *edges, *([] if math.isnan(present) else [present])]
    limit = DIGITS - 1 - math.floor(math.log10(high - low))
    decimals = min(max(map(_decimals, given)), max(limit, 0))
    return NumberCells(name, present, low, high, decimals, *_knots(profile, low, high, 10.0**-decimals))


def _dates(profile: Mapping[str, Any], row: Table) -> Cells:
    name, cell = profile["name"], row.zoned_dates(profile["name"])
    first, last = (int(np.datetime64(profile[end], "us").astype(np.int64)) for end in ("min", "max"))
    instant, there = (int(of(cell)[0].astype(np.int64)) for of in (utc, local))
    gap = bool(np.isnat(utc(cell))[0])
    offset = 0 if gap else there - instant
    edges = [round(edge * DAY) for edge in profile.get("edges", ()) if round(edge * DAY) >= first]
    known = [one + offset for one in (first, last, *edges, *(() if gap else (instant,)))]
    unit = next(unit for unit in UNITS if unit == UNITS[-1] or all(one % unit == 0 for one in known))
    low, high = -(-(first + offset) // unit), (last + offset) // unit
    in_units = {**profile, "edges": [(edge + offset) / unit for edge in edges]}
    knots, shares = _knots(in_units, low, high, 1.0)
    present = math.nan if gap else there / unit
    return DateCells(name, present, low, max(high, low), 0, knots, shares, unit=unit, offset=offset)


def _knots(profile: Mapping[str, Any], low: float, high: float, step: float) -> tuple[Array, Array]:
    """Return numbers (n,), rising, and the share of training rows below each, (n,), from the bins of a profile.

    A bin that holds a single number counts half for it. Within a bin, rows are spread evenly; below the first decile
    and above the last one they thin out exponentially, so that the least and the largest number are of one row.
    """
    edges, shares = list(profile.get("edges", ())), list(profile.get("shares", ()))
    while edges and edges[0] < low:  # below a minimum that many rows share
        del edges[0], shares[0]
    if not edges:
        return np.array([low, high]), np.array([0.0, 1.0])
    knots, below, start = dict[float, float](), 0.0, -math.inf
    of_one = 1 / (1 + profile.get("rows", 0) * (1 - profile.get("missing", 0)))
    for end, share in zip([*edges, high], shares, strict=True):
        if share and (end == low or end - start <= 1.5 * step):
            knots[end] = below + share / 2
        elif share and start == -math.inf:
            knots = {**dict(_tail(end, low, share, of_one)), **knots}
        elif share and end == high:
            knots = {**{x: 1 - left for x, left in _tail(start, high, share, of_one)}, **knots}
        elif share:
            knots[end] = below + share
        below, start = below + share, end
    return np.array(sorted(knots)), np.maximum.accumulate([knots[x] for x in sorted(knots)])


def _tail(start: float, end: float, share: float, least: float) -> Iterator[tuple[float, float]]:
    """Yield numbers from the start of a tail to its end, with the shares of rows beyond: from `share` to `least`."""
    for k in range(9):
        yield start + (end - start) * k / 8, share * (min(least, share) / share) ** (k / 8)


def _decimals(value: float) -> int:
    """Return how many decimals the shortest text of a number has."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def plain_cell(row: Table, name: str, boolean: bool = False) -> Any:
    """Return the cell of a row of one row as a plain value: a number, a text, or a `boolean`; None if it is empty."""
    column = row.stored(name)
    if isinstance(column, Texts) or column.dtype.kind in "MV":
        return (row.text_of(0, name) if isinstance(column, Texts) else iso_text(column)) or None
    number = float(column[0])
    if math.isnan(number):
        return None
    return bool(number) if boolean else int(number) if number.is_integer() and abs(number) < 2**53 else number


def iso_text(dates: Array) -> str:
    """Return the first of dates (n,) in ISO 8601, with its offset from UTC unless that is 0; empty for a gap."""
    instant, there = utc(dates)[0], local(dates)[0]
    if np.isnat(instant):
        return ""
    minutes = int((there - instant) // np.timedelta64(1, "m"))
    if not minutes:
        return text_of(instant)
    sign = "-" if minutes < 0 else "+"
    at = str(there.astype("datetime64[us]")).replace("T", " ").removesuffix(".000000")
    return f"{at}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
