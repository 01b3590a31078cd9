"""The `gap` of a split by time: how long before the first row of a later split or fold the last training row is."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, WithJsonSchema

from nnfs_cli.arrays import Array
from nnfs_cli.components.section import invalid
from nnfs_cli.data.dates import DAY
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import named, shown

_UNITS = {"week": 7 * DAY, "day": DAY, "hour": DAY // 24, "min": DAY // 1440, "second": DAY // 86_400}  # microseconds
_DURATION = r"[0-9]{1,9}(?:\.[0-9]{1,9})? ?(?:week|day|hour|min|minute|second)s?"
_LONGEST = 10_000 * 366 * DAY


def _gap(value: object) -> float | str:
    if isinstance(value, timedelta):  # in Python
        value = f"{value / timedelta(seconds=1):.6f} seconds"
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    if isinstance(value, str) and re.fullmatch(_DURATION, value) and 0 < _microseconds(value) <= _LONGEST:
        return value
    raise invalid(f"expected a duration, such as 7 days, 12 hours or 90 min, or a number, found {shown(value)}")


def _microseconds(duration: str) -> int:
    amount, unit = re.findall(r"[0-9.]+|[a-z]+", duration)
    return round(float(amount) * next(size for name, size in _UNITS.items() if unit.startswith(name)))


Gap = Annotated[
    float | str,
    BeforeValidator(_gap),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "string",
                    "format": "length of time",
                    "pattern": f"^(?=.*[1-9]){_DURATION}$",
                    "patternErrorMessage": "expected a duration, such as 7 days, 12 hours or 90 min",
                },
                {"type": "number", "exclusiveMinimum": 0},
            ]
        }
    ),
]


def instants(table: Table, name: str) -> Array:
    """Return a column of dates or numbers as numbers (rows,), larger for later rows; dates in microseconds.

    Raises `DataError` for an empty cell.
    """
    if table.kind(name) == "number":
        column = table.numbers(name)
        own = np.asarray(table.column(name))
        return own if own.dtype.kind in "iu" else column  # float64 cannot distinguish large whole numbers
    dates = table.dates(name)
    if np.isnat(dates).any():
        raise table.error(int(np.argmax(np.isnat(dates))), name, "a date in every row, since it decides the split")
    return dates.view(np.int64)


def gap_between(table: Table, name: str, gap: float | str | None) -> float:
    """Return a gap in the units of `instants`. Raises `DataError` for a duration between numbers, or the reverse."""
    if gap is None:
        return 0
    dates = table.kind(name) != "number"
    if dates != isinstance(gap, str):
        held, needed = ("dates", "a duration, such as 7 days") if dates else ("numbers", "a number, such as 7")
        found = f"column {named(name)} holds {held}, so the gap of the split must be {needed}"
        raise DataError(f"{table.name}: {found}; found {shown(gap)}")
    return _microseconds(gap) if isinstance(gap, str) else gap


def long_before(times: Array, start: Any, gap: float) -> Array:
    """Return which times (rows,) lie before a start, by the gap or more."""
    before: Array = (times < start) & (start - np.minimum(times, start) >= gap)  # unsigned numbers cannot be negative
    return before
