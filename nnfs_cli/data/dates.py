"""Dates: their grammar in text files (ISO 8601, optionally with a time of day and an offset from UTC), and their zones.

A column of dates holds instants in UTC, datetime64[us]. A date without an offset is taken as UTC. If some cells have
an offset other than 0, the column is of the type `ZONED`, which keeps the local time beside each instant: the calendar
goes by local days and hours, while everything that orders or counts dates goes by the instants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import numpy as np

from nnfs_cli.arrays import Array

_OFFSET = r"(?:Z|([-+])([0-9]{2})(?::?([0-9]{2}))?)"
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    rf"(?:[ T]([0-9]{{2}}(?::[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,9}})?)?)?){_OFFSET}?)?"
)
_ENDING = re.compile(f"{_OFFSET}$")
DATES = "dates, as in 2026-01-31 or 2026-01-31 12:30:00"  # what a message expects in a date column
NOT_A_DATE = np.datetime64("NaT", "us")
DAY = 86_400_000_000  # in microseconds
ZONED = np.dtype([("utc", "datetime64[us]"), ("local", "datetime64[us]")])
FIRST, LAST = np.datetime64("0001-01-03", "us"), np.datetime64("9999-12-29", "us")  # that Python knows, in any zone
FEW = 50  # instants whose offsets are found one by one
FARTHEST = np.timedelta64(14, "h")  # offset of a place on earth from UTC


def days(dates: Array) -> Array:
    """Return the days since the beginning of 1970, with fractions, and NaN for NaT. The shape stays the same."""
    return np.where(np.isnat(dates), np.nan, dates.astype(np.int64) / DAY)


def weekday(dates: Array) -> Array:
    """Return the day of the week of dates (rows,), 0 for Monday to 6 for Sunday; that of a gap means nothing."""
    return np.asarray((dates.astype("datetime64[D]").astype(np.int64) + 3) % 7)  # day 0, in 1970, was a Thursday


def utc(dates: Array) -> Array:
    """Return the instants of a column of dates (rows,), datetime64[us] in UTC."""
    return np.asarray(dates["utc"]) if dates.dtype == ZONED else dates


def local(dates: Array) -> Array:
    """Return the local times of a column of dates (rows,), datetime64[us]; those in UTC where no offset is known."""
    return np.asarray(dates["local"]) if dates.dtype == ZONED else dates


def zoned(instants: Array, local_times: Array) -> Array:
    """Return a column of dates with these instants and local times, both (rows,) datetime64[us].

    It is of the type `ZONED` only if some of them differ.
    """
    if ((instants == local_times) | np.isnat(instants)).all():
        return instants
    dates = np.empty(len(instants), ZONED)
    dates["utc"], dates["local"] = instants, local_times
    return dates


def in_zone(instants: Array, zone: str) -> Array:
    """Return a column of dates with the local times of instants (rows,) in a zone, such as Europe/Paris or +02:00.

    Raises `KeyError` if this machine does not know the zone.
    """
    if zone in ("UTC", "Etc/UTC", "Z"):
        return instants
    there = ~np.isnat(instants)
    clock = instants.copy()
    clock[there] += _offsets(np.clip(instants[there], FIRST, LAST), _offset_in(zone))
    return zoned(instants, clock)


def _offsets(instants: Array, offset: Callable[[date], timedelta | None]) -> Array:
    """Return `offset` of instants (rows,), timedelta64[us]. Of many, it is asked for the days instead."""
    if len(instants) <= FEW:
        return np.array([*map(offset, instants.tolist())], "timedelta64[us]")
    days = instants.astype("datetime64[D]")
    place = (days - days.min()).astype(np.int64)
    found = np.flatnonzero(np.bincount(place))
    first, after = (np.zeros(found[-1] + 1, "timedelta64[us]") for _ in range(2))  # offsets at both ends of each day
    first[found] = [*map(offset, (days.min() + found).tolist())]
    after[found] = [*map(offset, (days.min() + found + 1).tolist())]
    offsets: Array = first[place]
    changing = (first != after)[place]
    offsets[changing] = [*map(offset, instants[changing].tolist())]
    return offsets


def _offset_in(zone: str) -> Callable[[date], timedelta | None]:
    """Return a function that returns the offset from UTC of a zone at an instant, or at the first of a day."""
    from zoneinfo import ZoneInfo

    fixed = re.fullmatch(r"([-+])([0-9]{2}):([0-9]{2})", zone)
    if fixed is not None:
        size = timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
        return lambda day: size if fixed[1] == "+" else -size
    try:
        there = ZoneInfo(zone)
    except (ValueError, OSError) as error:  # a name that cannot be one of a zone
        raise KeyError(str(error)) from None

    def offset(day: date) -> timedelta | None:
        instant = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)
        return instant.replace(tzinfo=UTC).astimezone(there).utcoffset()

    return offset


def concatenate_dates(columns: Iterable[Array]) -> Array:
    """Return one column with the dates of all."""
    columns = list(columns)
    if all(column.dtype != ZONED for column in columns):
        return np.concatenate(columns)
    return zoned(*(np.concatenate([of(column) for column in columns]) for of in (utc, local)))


def parse_date(text: str) -> tuple[np.datetime64, np.datetime64]:
    """Return the instant in UTC that a text gives and its local time, to the microsecond, or NaT if it is no date.

    An offset is at most 14 hours, and its minutes are below 60.
    """
    found = _ISO.fullmatch(text.strip())
    if found is None:
        return NOT_A_DATE, NOT_A_DATE
    day, time, sign, hours, minutes = found.groups()
    try:
        there = np.datetime64(f"{day}T{time[:15]}" if time else day, "us")
    except ValueError:
        return NOT_A_DATE, NOT_A_DATE
    offset = _offset(sign, hours, minutes)
    return (NOT_A_DATE, NOT_A_DATE) if offset is None else (there - offset, there)


def offset_at_end(text: str) -> np.timedelta64 | None:
    """Return the offset from UTC with which a text ends, or None if that is not the offset of a place on earth."""
    found = _ENDING.search(text)
    return None if found is None else _offset(*found.groups())


def _offset(sign: str | None, hours: str | None, minutes: str | None) -> np.timedelta64 | None:
    offset = np.timedelta64(60 * int(hours or 0) + int(minutes or 0), "m")
    if int(minutes or 0) > 59 or offset > FARTHEST:
        return None
    return -offset if sign == "-" else offset


def is_date(text: str) -> bool:
    """Return whether a text is a date."""
    return not np.isnat(parse_date(text)[0])


def hint_about(text: str) -> str:
    """Return advice about a text that would be a date but for its offset, else an empty string."""
    found = _ENDING.search(text[10:])
    wrong = found is not None and found[1] and is_date(text[: -len(found[0])]) and not is_date(text)
    return "; an offset from UTC is at most 14:00, as in +02:00" if wrong else ""


def parse_dates(texts: Iterable[str]) -> Array:
    """Return the dates in texts (n,) as a column (n + 1,), with NaT for a text that is no date, and for one more."""
    known = np.array([*map(parse_date, texts), (NOT_A_DATE, NOT_A_DATE)], "datetime64[us]")
    return zoned(known[:, 0], known[:, 1])
