"""Dates as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NotEmpty, Text
from nnfs_cli.components.section import invalid
from nnfs_cli.data.dates import FIRST, LAST, ZONED, local, utc
from nnfs_cli.data.parsing.base import Parser, Reading
from nnfs_cli.data.parsing.date_settings import settle_formats
from nnfs_cli.data.parsing.date_shape import LETTERS, dates_in, directives, parts_of, write_date
from nnfs_cli.data.parsing.evidence import Evidence
from nnfs_cli.data.parsing.number_shape import read_shape
from nnfs_cli.data.parsing.shapes import whole
from nnfs_cli.data.table import text_of
from nnfs_cli.system.wording import shown

_DAY = 86_400_000_000  # in microseconds
MOST_DIGITS = 19  # of a number that counts
LONGEST_AGO = 10**18  # microseconds
_UNIX = np.datetime64("1970-01-01", "us")
_EXCEL = np.datetime64("1899-12-30", "us")  # day 0 of the serial numbers from March 1900
COUNTED = {"excel": _DAY, "unix": 1_000_000, "unix_ms": 1_000, "unix_us": 1, "unix_ns": 0}
"""Formats that are numbers: how many microseconds one of them is, or 0 for a thousandth of one."""


def _as_formats(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _check(formats: tuple[str, ...]) -> tuple[str, ...]:
    for one in formats:
        try:
            letters = [piece[1] for piece in directives(one) if piece.startswith("%")] if one not in COUNTED else ["Y"]
        except ValueError as error:
            raise invalid(str(error)) from None
        if any(c in "0123456789" for c in one) or not {*letters} & {"Y", "y"}:
            expected = "a format of strptime with a year, such as '%d.%m.%Y', or excel, unix or unix_ms"
            raise invalid(f"expected {expected}, found {shown(one)}")
    return formats


_PIECE = f"([^%0-9]|%[{LETTERS}])*"
_ONE_FORMAT = {"type": "string", "pattern": f"^({'|'.join(COUNTED)}|{_PIECE}%[YyDF]{_PIECE})$"}
Formats = Annotated[
    tuple[Text, ...],
    NotEmpty,
    AfterValidator(_check),
    BeforeValidator(_as_formats),
    PlainSerializer(lambda formats: formats[0] if len(formats) == 1 else list(formats)),
    WithJsonSchema({"anyOf": [_ONE_FORMAT, {"type": "array", "minItems": 1, "items": _ONE_FORMAT}]}),
]


class Date(Parser, name="date", main="format"):
    """Read dates in the formats of strptime, with the names of months in 13 languages, and with offsets from UTC.

    31.12.2023, Dec 31, 2023, 31 décembre 2023, 12/31/23 11:59 PM and 2023-12-31T23:59:00+01:00 are dates. A date
    without an offset is taken as UTC.
    """

    kind = "date"
    examples = ("date: '%d.%m.%Y'", "date", "date: ['%d.%m.%Y', '%Y-%m-%d']", "date: unix")

    format: Formats | None = Field(default=None, kw_only=False)
    """Format, as in `'%d.%m.%Y'`, or several that are tried in order; `excel` stands for serial numbers of days, and
    `unix` or `unix_ms` for seconds or milliseconds since 1970. By default the formats that all cells together settle;
    whether the day or the month comes first is never decided for a single cell."""
    first_year: Annotated[int, Field(strict=True, ge=1, le=9900)] = 1969
    """First of the hundred years that a year of two digits may be: 69 is 1969, and 68 is 2068."""

    @property
    def is_settled(self) -> bool:
        """Whether the formats are known."""
        return self.format is not None

    def settle(self, evidence: Evidence) -> Self:
        """Return the parser with the formats of the cells; see `date_settings`."""
        if self.format is not None:
            return self
        return self.model_copy(update={"format": settle_formats(evidence)})

    def reading(self, shape: str) -> Reading | None:
        """Return how to read the dates of a shape, or None if they have none of the formats."""
        readings = [found for one in self.format or () if (found := self._in_format(shape, one)) is not None]
        if len(readings) < 2:
            return readings[0] if readings else None

        def first_that_reads(digits: Array, texts: Sequence[str]) -> tuple[Array, ...]:
            (dates,) = readings[0](digits, texts)
            for reading in readings[1:]:
                if (missing := np.isnat(dates["utc"])).any():
                    dates[missing] = reading(digits, texts)[0][missing]
            return (dates,)

        return first_that_reads

    def _in_format(self, shape: str, pattern: str) -> Reading | None:
        """Return how to read the dates of a shape in one format, or None if they do not have it."""
        if pattern in COUNTED:
            number = read_shape(shape, ".", "")
            if number is None or number.before or number.behind or number.has_exponent or number.n_digits > MOST_DIGITS:
                return None
            return lambda digits, texts: (_counted(digits, number.n_decimals, number.negative, pattern),)
        parts = parts_of(shape, pattern)
        return None if parts is None else lambda digits, texts: (dates_in(digits, parts, self.first_year),)

    def expected(self, example: str = "") -> str:
        """Return what messages expect in a cell. A date of the column might not show whether its day comes first."""
        formats = self.format or ("%Y-%m-%d",)
        return f"dates, such as {self._written(datetime(2026, 1, 31, 12, 30), formats[0])}"

    def write(self, value: Any) -> str:
        """Return the date in the first format: a datetime64, or an entry of the type `dates.ZONED`."""
        pattern = (self.format or ("%Y-%m-%d",))[0]
        entry = np.asarray(value).reshape(1)
        if np.isnat(utc(entry))[0]:
            return ""
        here = local(entry).astype("datetime64[us]")[0].item()
        return self._written(here, pattern, int((here - utc(entry).astype("datetime64[us]")[0].item()).total_seconds()))

    def _written(self, here: datetime, pattern: str, offset: int = 0) -> str:
        if pattern in COUNTED:
            start = _EXCEL.item() if pattern == "excel" else datetime(1970, 1, 1)
            since = (here - timedelta(seconds=offset) - start) // timedelta(microseconds=1)
            return str(1_000 * since) if pattern == "unix_ns" else text_of(since / COUNTED[pattern])
        return write_date(here, pattern, offset)


def _counted(digits: Array, n_decimals: int, negative: bool, pattern: str) -> Array:
    """Return the dates (n,) that numbers count in a unit, to the nearest microsecond."""
    unit = COUNTED[pattern]
    if pattern == "unix_ns":
        digits, unit, n_decimals = digits[:, : max(digits.shape[1] - n_decimals - 3, 0)], 1, 0
    units, fraction = np.divmod(whole(digits), 10**n_decimals)
    with np.errstate(over="ignore"):  # what is too large is not a date
        since = units * unit + np.rint(fraction * (unit / 10**n_decimals)).astype(np.int64)
    dates = (_EXCEL if pattern == "excel" else _UNIX) + (-since if negative else since).astype("timedelta64[us]")
    outside = (units > LONGEST_AGO // unit) | (dates < FIRST) | (dates > LAST)
    dates[outside] = np.datetime64("NaT", "us")
    found = np.empty(len(dates), ZONED)
    found["utc"] = found["local"] = dates
    return found
