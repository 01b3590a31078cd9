"""The grammar of dates in text files: ISO 8601, optionally with a time of day and an offset from UTC."""

from __future__ import annotations

import re

import numpy as np

from nnfs_cli.arrays import Array

_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T]([0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)?)(?:Z|([-+])([0-9]{2})(?::?([0-9]{2}))?)?)?"
)
DATES = "dates, as in 2026-01-31 or 2026-01-31 12:30:00"  # what a message expects in a date column
NOT_A_DATE = np.datetime64("NaT", "us")
DAY = 86_400_000_000  # in microseconds


def days(dates: Array) -> Array:
    """Return the days since the beginning of 1970, with fractions, and NaN for NaT. The shape stays the same."""
    return np.where(np.isnat(dates), np.nan, dates.astype(np.int64) / DAY)


def parse_date(text: str) -> np.datetime64:
    """Return the instant in UTC that a text gives, to the microsecond, or NaT if the text is not a date."""
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
