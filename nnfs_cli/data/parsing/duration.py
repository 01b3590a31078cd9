"""Durations and times of day as people write them."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.data.parsing.base import Parser, Reading
from nnfs_cli.data.parsing.evidence import Evidence
from nnfs_cli.data.parsing.open_setting import OpenSettingError
from nnfs_cli.data.parsing.shapes import whole
from nnfs_cli.data.parsing.units import known_units
from nnfs_cli.system.wording import shown

Clock = Literal["h:m", "m:s"]
MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds
MOST_DIGITS = 15
_SIGN = re.compile(r"\s*([-+\u2212]?)\s*(.*?)\s*", re.DOTALL)
_CLOCK = re.compile(
    r"(?:(?P<days>0+)\s*(?:d|days?|tage?|jours?|\.)?,?\s+)?"
    r"(?P<first>0+):(?P<second>00)(?::(?P<third>00)(?:[.,](?P<decimals>0+))?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?(?:uhr|h)?",
    re.IGNORECASE,
)
_ISO = re.compile(r"P(?:(0+)W)?(?:(0+)D)?(?:T(?:(0+)H)?(?:(0+)M)?(?:(0+)(?:[.,](0+))?S)?)?")
_AMOUNT = re.compile(r"(0+)(?:[.,](0+))?\s*([^\W\d_]+)\.?(?:\s*(?:,|and|und|et|y|e|&)?\s*)(?=0|$)")


class Amount(NamedTuple):
    """A number in a shape and the unit of time behind it: its digits, the first and the last + 1, and its seconds.

    The last `n_decimals` digits are behind the decimal mark. The number is below `limit`.
    """

    first: int
    last: int
    n_decimals: int
    seconds: int
    limit: float = np.inf


class DurationShape(NamedTuple):
    """The amounts that the texts of a shape add up, and how these are read."""

    amounts: tuple[Amount, ...]
    negative: bool = False
    half: str = ""  # a or p, of am and pm


class Duration(Parser, name="duration", main="clock"):
    """Read durations and times of day as seconds.

    1h 30m, 1 h 30 min, 90 min, 1.5 hours, 1 day 2 hours, 01:30:00, 1 days 01:30:00, PT1H30M and 2:30 PM are read. A
    month has no fixed length and is not.
    """

    kind = "number"
    examples = ("duration", "duration: 'm:s'")

    clock: Clock | None = Field(default=None, kw_only=False)
    """Meaning of 1:30: `h:m` for hours and minutes, `m:s` for minutes and seconds. By default it follows from all
    cells: what is above 23 is minutes."""

    @property
    def is_settled(self) -> bool:
        """Whether it is known what 1:30 means."""
        return self.clock is not None

    def settle(self, evidence: Evidence) -> Self:
        """Return the parser with the meaning of two numbers around a colon."""
        if self.clock is not None:
            return self
        pairs, others, large, example = 0, 0, 0, ""
        for shape, facts in evidence.shapes.items():
            found = duration_shape(shape, "h:m")
            if found is not None and _is_pair(shape):
                pairs, example = pairs + facts.n_cells, example or facts.example
                large += int(facts.sizes[0, 3]) + int(facts.high[0] > 23)
            elif found is not None:
                others += facts.n_cells
        if pairs and others and not large:
            raise OpenSettingError(
                f"holds times such as {shown(example)}, which may be hours and minutes or minutes and seconds, and no"
                " cell settles it; set  clock: 'h:m' for the first meaning, or  clock: 'm:s' for the second",
                [{"clock": "h:m"}, {"clock": "m:s"}],
            )
        return self.model_copy(update={"clock": "m:s" if large else "h:m"})

    def reading(self, shape: str) -> Reading | None:
        """Return how to read the durations of a shape, or None if they are none."""
        found = duration_shape(shape, self.clock or "h:m")
        return None if found is None else lambda digits, texts: (_seconds(found, digits),)

    def expected(self, example: str = "") -> str:
        """Return what messages expect in a cell."""
        return f"durations, such as {example or '1h 30m or 1:30:00'}"

    def write(self, value: Any) -> str:
        """Return the duration with hours, minutes and seconds, as in 1:30:00."""
        if value != value:
            return ""
        exact = abs(Decimal(repr(float(value))))
        minutes, seconds = divmod(exact, 60)
        written = f"{int(seconds):02}{format(seconds % 1, 'f')[1:].rstrip('0').rstrip('.')}"
        return f"{'-' if value < 0 else ''}{int(minutes) // 60}:{int(minutes) % 60:02}:{written}"


def _is_pair(shape: str) -> bool:
    """Return whether a shape is two numbers around a colon, without days and without am or pm."""
    return re.fullmatch(r"\s*[-+]?0+:00\s*(?:uhr|h)?\s*", shape, re.IGNORECASE) is not None


@lru_cache(1_024)
def duration_shape(shape: str, clock: Clock) -> DurationShape | None:
    """Return the amounts that a shape adds up, or None if it is no duration."""
    signed = _SIGN.fullmatch(shape)
    sign, text = (signed[1], signed[2]) if signed else ("", shape)
    negative = sign not in ("", "+")
    found = _clock(text, clock)
    if found is None:
        amounts = _iso(text) or _listed(text)
        found = DurationShape(amounts) if amounts else None
    if found is None or (found.half and sign) or any(one.last - one.first > MOST_DIGITS for one in found.amounts):
        return None
    return found._replace(negative=negative)


def _clock(text: str, clock: Clock) -> DurationShape | None:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    seconds = {"first": HOUR, "second": MINUTE, "third": 1}
    if found["third"] is None and clock == "m:s" and not found["half"]:
        seconds = {"first": MINUTE, "second": 1}
    amounts, before = [], 0
    for group, unit in [("days", DAY), *seconds.items()]:
        if found[group] is None:
            continue
        n = len(found[group])
        decimals = len(found["decimals"] or "") if group == "third" else 0
        limit = np.inf if group == "days" or (group == "first" and not found["days"]) else HOUR / 60
        if group == "first" and (found["days"] or found["half"]):
            limit = 24 if not found["half"] else 13
        amounts.append(Amount(before, before + n + decimals, decimals, unit, limit))
        before += n + decimals
    return DurationShape(tuple(amounts), half=(found["half"] or "")[:1].lower())


def _iso(text: str) -> tuple[Amount, ...]:
    found = _ISO.fullmatch(text)
    if found is None or "0" not in text:
        return ()
    amounts, before = [], 0
    for group, seconds in enumerate((7 * DAY, DAY, HOUR, MINUTE, 1), 1):
        if found[group] is not None:
            decimals = len(found[6] or "") if seconds == 1 else 0
            n = len(found[group]) + decimals
            amounts.append(Amount(before, before + n, decimals, seconds))
            before += n
    return tuple(amounts)


def _listed(text: str) -> tuple[Amount, ...]:
    """Return the amounts of a text such as 1h 30m, from the largest unit to the smallest."""
    amounts, at, before = list[Amount](), 0, 0
    while at < len(text):
        found = _AMOUNT.match(text, at)
        factor = None if found is None else _factor(found[3])
        if found is None or factor is None:
            return ()
        seconds, decimals = (1, 3) if factor < 1 else (int(factor), 0)
        n_decimals = len(found[2] or "")
        n = len(found[1]) + n_decimals
        amounts.append(Amount(before, before + n, n_decimals + decimals, seconds))
        if len(amounts) > 1 and (amounts[-2].seconds <= seconds and not decimals):
            return ()
        at, before = found.end(), before + n
    return tuple(amounts)


def _factor(unit: str) -> float | None:
    """Return the seconds of a unit of time, or None for another text; m is a minute here."""
    if unit.lower() in ("m", "mn"):
        return MINUTE
    return next((one.factor for one in known_units(unit) if one.dimension == "time"), None)


def _seconds(found: DurationShape, digits: Array) -> Array:
    """Return the seconds (n,) that the amounts add up; NaN where one is above its limit."""
    power = max(one.n_decimals for one in found.amounts)
    total, wrong = np.zeros(len(digits)), np.zeros(len(digits), bool)
    for i, one in enumerate(found.amounts):
        number = whole(digits[:, one.first : one.last])
        wrong |= number // 10**one.n_decimals >= one.limit
        if found.half and i == 0:
            wrong |= number == 0
            number = number % 12 + (12 if found.half == "p" else 0)
        total += number.astype(np.float64) * one.seconds * 10.0 ** (power - one.n_decimals)
    seconds = (-total if found.negative else total) / 10.0**power
    seconds[wrong] = np.nan
    return seconds
