"""Read the texts of one shape as dates: match the shape with a format of strptime, then compute with the digits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import FARTHEST, ZONED
from nnfs_cli.data.parsing.month_names import MONTHS, WEEKDAYS, is_weekday, month_number
from nnfs_cli.data.parsing.shapes import whole

_NUMBERS = {"Y": "0{4}", "y": "00", "j": "0{1,3}", "f": "0{1,9}"} | dict.fromkeys("dmHIMS", "0{1,2}")
_WORDS = {
    "b": r"[^\W\d_]+\.?",
    "a": r"[^\W\d_]+\.?",
    "p": r"[AaPp]\.?\s?[Mm]\.?",
    "z": r"[Zz]|[-+]00(?::?00)?",
    "Z": r"[^\W\d_]{1,5}",
}
_SAME = {"B": "b", "h": "b", "A": "a"}
_WHOLE = {"T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "F": "%Y-%m-%d", "e": "%d"}
LETTERS = "".join([*_NUMBERS, *_WORDS, *_SAME, *_WHOLE, "%"])  # of all directives
ZONES = {  # hours from UTC
    "utc": 0, "gmt": 0, "z": 0, "wet": 0, "cet": 1, "mez": 1, "west": 1, "cest": 2, "mesz": 2, "eet": 2, "eest": 3,
    "msk": 3, "jst": 9, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
_FIXED_WIDTH = {"Y", "y", "f"}


class Part(NamedTuple):
    """A part of a date in a shape: its directive, its text there, and its digits among all: the first, the last + 1."""

    directive: str
    text: str
    first: int
    last: int


def directives(pattern: str) -> list[str]:
    """Return the pieces of a format: directives, as in %d, and the texts between them.

    Raises `ValueError` for an unknown directive.
    """
    pieces: list[str] = []
    for piece in re.findall("%.?|[^%]+", pattern):
        letter = piece[1:]
        if not piece.startswith("%"):
            pieces.append(piece)
        elif letter in _WHOLE:
            pieces += directives(_WHOLE[letter])
        elif letter in _NUMBERS or letter in _WORDS or letter in _SAME or letter == "%":
            pieces.append(piece)
        else:
            raise ValueError(f"{piece!r} is not a directive of strptime that is read here")
    return pieces


@lru_cache(1_024)
def _pattern(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return a regular expression for the shapes of dates in this format, and the directive of each of its groups."""
    pieces, groups, text = directives(pattern), list[str](), ""
    for i, piece in enumerate(pieces):
        letter = _SAME.get(piece[1:], piece[1:])
        if not piece.startswith("%"):
            text += re.sub(r"(\\\s|\s)+", r"\\s+", re.escape(piece))
        elif letter == "%":
            text += "%"
        elif letter in _NUMBERS:
            beside = [p[1:] for p in pieces[max(i - 1, 0) : i + 2] if p is not piece and p.startswith("%")]
            tight = any(other in _NUMBERS for other in beside) and letter not in _FIXED_WIDTH
            text += f"({'000' if letter == 'j' and tight else '00' if tight else _NUMBERS[letter]})"
            groups.append(letter)
        else:
            text += f"({_WORDS[letter]})"
            groups.append(letter)
    return re.compile(rf"\s*{text}\s*", re.IGNORECASE), tuple(groups)


def parts_of(shape: str, pattern: str) -> dict[str, Part] | None:
    """Return the parts of a date by directive, for texts of a shape in a format of strptime; None if they are not."""
    expression, letters = _pattern(pattern)
    found = expression.fullmatch(shape)
    if found is None:
        return None
    parts = {}
    for group, letter in enumerate(letters, 1):
        before = shape.count("0", 0, found.start(group))
        text = found[group]
        parts[letter] = Part(letter, text, before, before + text.count("0"))
    if "b" in parts and month_number(parts["b"].text) is None:
        return None
    if "a" in parts and not is_weekday(parts["a"].text):
        return None
    if "Z" in parts and parts["Z"].text.lower() not in ZONES:
        return None
    return parts


def dates_in(digits: Array, parts: Mapping[str, Part], first_year: int) -> Array:
    """Return the dates (n,), of the type `ZONED`, in digits (n, number of digits); NaT for one that does not exist.

    Years of two digits lie in the hundred years from `first_year`.
    """
    n = len(digits)

    def number(letter: str, default: int) -> Array:
        part = parts.get(letter)
        return np.full(n, default) if part is None else whole(digits[:, part.first : part.last])

    year = number("Y", 1970)
    if "y" in parts:
        year = first_year + (number("y", 0) - first_year) % 100
    month = np.full(n, month_number(parts["b"].text)) if "b" in parts else number("m", 1)
    day, hour, minute, second = number("d", 1), number("H", 0), number("M", 0), number("S", 0)
    wrong = (year < 1) | (month < 1) | (month > 12) | (day < 1) | (minute > 59) | (second > 59)
    if "I" in parts:
        twelve = number("I", 12)
        wrong |= (twelve < 1) | (twelve > 12)
        hour = twelve % 12 + (12 if "p" in parts and parts["p"].text.lower().startswith("p") else 0)
    wrong |= hour > 23
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + np.clip(month - 1, 0, 11)
    if "j" in parts:
        there = first.astype("datetime64[D]") + (number("j", 1) - 1)
        wrong |= (number("j", 1) < 1) | (there.astype("datetime64[Y]") != first.astype("datetime64[Y]"))
    else:
        there = first.astype("datetime64[D]") + (day - 1)
        wrong |= there.astype("datetime64[M]") != first
    clock = (
        there.astype("datetime64[us]") + ((hour * 60 + minute) * 60 + second) * 1_000_000 + _microseconds(digits, parts)
    )
    offset, outside = _offset(digits, parts)
    dates = np.empty(n, ZONED)
    dates["local"], dates["utc"] = clock, clock - offset
    dates[wrong | outside] = np.datetime64("NaT", "us")
    return dates


def _microseconds(digits: Array, parts: Mapping[str, Part]) -> Array:
    part = parts.get("f")
    if part is None:
        return np.zeros(len(digits), np.int64)
    kept = digits[:, part.first : min(part.last, part.first + 6)]
    return np.asarray(whole(kept) * 10 ** (6 - kept.shape[1]))


def _offset(digits: Array, parts: Mapping[str, Part]) -> tuple[Array, Array]:
    """Return the offset from UTC of each date, (n,), and a mask (n,) of those that no place on earth has."""
    if "Z" in parts:
        east = np.timedelta64(ZONES[parts["Z"].text.lower()], "h")
        return np.full(len(digits), east, "timedelta64[us]"), np.zeros(len(digits), bool)
    part = parts.get("z")
    if part is None or part.last == part.first:
        return np.zeros(len(digits), "timedelta64[us]"), np.zeros(len(digits), bool)
    found = digits[:, part.first : part.last]
    hours, minutes = whole(found[:, :2]), whole(found[:, 2:])
    offset = np.asarray(60 * hours + minutes, "timedelta64[m]").astype("timedelta64[us]")
    wrong = (offset > FARTHEST) | (minutes > 59)
    return np.negative(offset) if part.text.startswith("-") else offset, wrong


def write_date(here: datetime, pattern: str, offset: int) -> str:
    """Return a local time in a format, in English whatever the locale; `offset` is that from UTC, in seconds."""
    if "%Z" in pattern:
        here, offset = here - timedelta(seconds=offset), 0
    sign, minutes = "-" if offset < 0 else "+", abs(offset) // 60
    names, short = (spelled.title().split() for spelled in MONTHS["English"])
    day = WEEKDAYS[here.weekday()]
    written = {
        "Y": f"{here.year:04}", "y": f"{here.year % 100:02}", "m": f"{here.month:02}", "d": f"{here.day:02}",
        "H": f"{here.hour:02}", "I": f"{(here.hour - 1) % 12 + 1:02}", "M": f"{here.minute:02}",
        "S": f"{here.second:02}", "f": f"{here.microsecond:06}", "p": "PM" if here.hour > 11 else "AM",
        "j": f"{here.timetuple().tm_yday:03}", "B": names[here.month - 1], "b": short[here.month - 1],
        "h": short[here.month - 1], "A": day, "a": day[:3], "Z": "UTC", "%": "%",
        "z": f"{sign}{minutes // 60:02}{minutes % 60:02}",
    }  # fmt: skip
    pieces = directives(pattern)
    return "".join(written.get(p[1:], "") if p.startswith("%") else p for p in pieces)
