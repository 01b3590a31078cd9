"""The grammar of a number as people write it: a sign, marks between thousands, a decimal mark, and texts around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

SPACES = " \u00a0\u202f\u2009\u2007"
# Each mark between thousands, with the characters that stand for it.
MARKS = {".": ".", ",": ",", " ": SPACES, "'": "'\u2019\u02bc", "_": "_"}
_MINUS = "-\u2212\u2013"  # also the minus sign and a dash
_DASH = "-\u2013\u2014"  # that stands for the decimals of a round price
_SIGN = f"[{_MINUS}+]"
_ABOUT = re.compile(r"^(~|≈|±|ca\.?|circa|approx\.?|about|around|etwa)\s*(?=\S)", re.IGNORECASE)
_EXPONENT = r"(?P<exponent>[eE][-+]?0+)?"


@dataclass(frozen=True)
class NumberShape:
    """A shape of texts that hold one number: how many digits of it come before its exponent and its suffix.

    `before` and `behind` are the texts around the number, without a sign; digits behind are part of the suffix.
    `groups` is the mark between thousands, or "" if there is none, and `n_decimals` the digits behind the decimal mark.
    """

    before: str
    behind: str
    negative: bool
    n_digits: int
    n_decimals: int
    groups: str
    has_exponent: bool
    start: int  # of the number without its sign, among the characters
    end: int

    @property
    def n_behind(self) -> int:
        """The number of digits in the text behind the number."""
        return self.behind.count("0")


@lru_cache(32)
def _body(decimal: str, thousands: str | None) -> re.Pattern[str]:
    """Return the pattern of the digits of a number; `thousands` limits the marks between thousands to one, or none."""
    marks = [mark for mark in MARKS if mark != decimal] if thousands is None else [thousands] if thousands else []
    allowed = re.escape("".join(MARKS[mark] for mark in marks))
    grouped = [rf"0{{1,3}}(?P<mark>[{allowed}])000(?:(?P=mark)000)*"] if allowed else []
    if "," in marks:
        grouped.append("0{1,2}(?P<lakh>,)(?:00,)+000")  # as written in India
    d = re.escape(decimal)
    plain = "|".join([*grouped, "0+"])
    return re.compile(rf"(?P<whole>{plain})?(?:{d}(?:(?P<decimals>0+)|[{_DASH}]{{1,2}})?)?{_EXPONENT}")


def read_shape(shape: str, decimal: str, thousands: str | None = None) -> NumberShape | None:
    """Return what a shape says with this decimal mark, or None if it is not that of a single number.

    >>> read_shape("-$0,000.00", ".").n_decimals, read_shape("0,000.00", ",")
    (2, None)
    """
    inside = shape.strip()
    offset = len(shape) - len(shape.lstrip())
    negative = False
    if len(inside) > 2 and inside[0] == "(" and inside[-1] == ")":
        inside, negative, offset = inside[1:-1], True, offset + 1
    if (about := _ABOUT.match(inside)) is not None:
        inside, offset = inside[about.end() :], offset + about.end()
    first = re.search(rf"[0{re.escape(decimal)}]", inside)
    while first is not None:
        body = _body(decimal, thousands).match(inside, first.start())
        if body is not None and (body["whole"] or body["decimals"]):
            break
        first = re.compile(rf"[0{re.escape(decimal)}]").search(inside, first.start() + 1)
    if first is None or body is None:
        return None
    before, behind = inside[: body.start()], inside[body.end() :]
    minus, signs = _signs(before)
    before = re.sub(_SIGN, "", before) if signs else before
    trailing = re.match(rf"^\s*([{_MINUS}])\s*$", behind) if not signs else None
    if trailing is not None or (not signs and not before.strip() and behind[-1:] == "-" and len(behind) > 1):
        minus, signs, behind = True, 1, behind[:-1] if trailing is None else ""
    goes_on = behind[:1] == decimal or behind.lstrip()[:1] == "0" or re.match(rf"[{SPACES}]?[.,'\u2019]\S", behind)
    if signs > 1 or (negative and signs) or goes_on:
        return None
    whole, decimals = body["whole"] or "", body["decimals"] or ""
    return NumberShape(
        before.strip(),
        behind.strip(),
        negative or minus,
        whole.count("0") + len(decimals),
        len(decimals),
        body.groupdict().get("mark") or body.groupdict().get("lakh") or "",
        body["exponent"] is not None,
        offset + body.start(),
        offset + body.end(),
    )


def _signs(before: str) -> tuple[bool, int]:
    """Return whether a sign before the number is a minus, and the number of signs."""
    signs = re.findall(_SIGN, before)
    standing = re.match(rf"^\s*{_SIGN}", before) or re.search(rf"{_SIGN}\s*$", before)
    if not signs or standing is None:
        return False, 0
    return signs[0] != "+", len(signs)
