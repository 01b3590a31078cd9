"""What counts as a date: ISO 8601, with or without a time of day, and with that maybe an offset from UTC."""

from __future__ import annotations

import re

import numpy as np

from nnfs_cli.arrays import Array

_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T]([0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)?)(?:Z|([-+])([0-9]{2})(?::?([0-9]{2}))?)?)?"
)
DATES = "dates, as in 2026-01-31 or 2026-01-31 12:30:00"  # what messages expect
NOT_A_DATE = np.datetime64("NaT", "us")
DAY = 86_400_000_000  # in microseconds


def days(dates: Array) -> Array:
    """Since the beginning of 1970, with fractions; NaN where a cell is empty. Takes and gives any shape."""
    return np.where(np.isnat(dates), np.nan, dates.astype(np.int64) / DAY)


def instant(text: str) -> np.datetime64:
    """The date or the instant, in UTC, that a text gives, to the microsecond; not a time where it gives none."""
    found = _ISO.fullmatch(text.strip())
    if found is None:
        return NOT_A_DATE
    day, time, sign, hours, minutes = found.groups()
    try:
        local = np.datetime64(f"{day}T{time[:15]}" if time else day, "us")
    except ValueError:
        return NOT_A_DATE
    if sign is None:
        return local
    offset = np.timedelta64(int(hours) * 60 + int(minutes or 0), "m")
    return local - offset if sign == "+" else local + offset
