"""Choose round numbers for the ticks of an axis, and write them.

Everything is computed in fractions, so no range overflows and each label is the exact number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

STEPS = (Fraction(1), Fraction(2), Fraction(5, 2), Fraction(5))  # times a power of ten
MINUS, TIMES = "\u2212", "\u00d7"
SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
PLAIN = (Fraction(1, 10_000), Fraction(10_000_000))  # between these, a number is written without a power of ten


class Tick(NamedTuple):
    """A number on an axis and how it is written."""

    value: float
    label: str


def linear_ticks(low: float, high: float, most: int, whole: bool = False) -> list[Tick]:
    """Return at most `most` (>= 2) multiples of a round step, all between `low` and `high`.

    `whole` asks for whole numbers.

    >>> [tick.label for tick in linear_ticks(0, 1, 5)]
    ['0.00', '0.25', '0.50', '0.75', '1.00']
    """
    first, last = Fraction(low), Fraction(high)
    exponent = _exponent((last - first) / most) - 1
    while True:
        for step in (step * Fraction(10) ** exponent for step in STEPS):
            ahead, behind = math.ceil(first / step), math.floor(last / step)
            ahead -= _rounded(step * (ahead - 1)) >= low  # 0.1 is not less than the float 0.1
            behind += _rounded(step * (behind + 1)) <= high
            if behind - ahead < most and (not whole or step.denominator == 1):
                values = [step * i for i in range(ahead, behind + 1)]
                return [Tick(float(value), label) for value, label in zip(values, _labels(values, step), strict=True)]
        exponent += 1


def log_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Return at most `most` powers of ten, or also their multiples by 2 and 5, between `low` and `high` (> 0).

    A range that has fewer than two of them gets the ticks of a linear axis.
    """
    first, last = Fraction(low), Fraction(high)
    exponents = range(_exponent(first), _exponent(last) + 2)
    powers = [n for n in exponents if low <= _rounded(Fraction(10) ** n) <= high]
    if len(powers) > most:
        stride = math.ceil((powers[-1] - powers[0] + 1) / most)
        powers = [n for n in powers if n % stride == 0][:most]
    values = [Fraction(10) ** n for n in powers]
    for factors in ((1, 2, 5), (1, 3)):
        more = [factor * Fraction(10) ** n for n in exponents for factor in factors]
        more = [value for value in more if low <= _rounded(value) <= high]
        if len(values) < len(more) <= most and len(values) < 3:
            values = more
    if len(values) < 2:
        return linear_ticks(low, high, most)
    plain = values[0] >= PLAIN[0] and values[-1] < PLAIN[1]
    return [Tick(float(value), written(value, plain)) for value in values]


def written(value: Fraction, plain: bool | None = None) -> str:
    """Write a number exactly, as a plain number or times a power of ten; by default, as its size asks for."""
    return _labels([value], value or Fraction(1), plain)[0]


def _labels(values: Iterable[Fraction], step: Fraction, plain: bool | None = None) -> list[str]:
    """Write multiples of a step, all with the same number of decimals."""
    values = list(values)
    largest = max((abs(value) for value in values), default=Fraction(0))
    if plain is None:
        plain = PLAIN[0] <= largest < PLAIN[1] or not largest
    if plain:
        return [_signed(f"{_decimal(abs(value), _decimals(step))}", value) for value in values]
    exponent = _exponent(largest) if largest else 0
    power = Fraction(10) ** exponent
    decimals, suffix = _decimals(step / power), f"{TIMES}10{str(exponent).translate(SUPERSCRIPTS)}"
    labels = [_decimal(abs(value) / power, decimals) + suffix if value else "0" for value in values]
    labels = [label.removeprefix(f"1{TIMES}") for label in labels]
    return [_signed(label, value) for label, value in zip(labels, values, strict=True)]


def _signed(label: str, value: Fraction) -> str:
    return MINUS + label if value < 0 else label


def _decimals(step: Fraction) -> int:
    """Return how many decimals the multiples of a step need."""
    decimals = 0
    while (step * 10**decimals).denominator != 1:
        decimals += 1
    return decimals


def _decimal(value: Fraction, decimals: int) -> str:
    """Write a number that has at most so many decimals, with commas between thousands."""
    digits = f"{int(value * 10**decimals):0{decimals + 1}d}"
    whole, part = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    return f"{int(whole):,}{'.' if part else ''}{part}"


def _rounded(value: Fraction) -> float:
    """Return the nearest float, which may be infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _exponent(value: Fraction) -> int:
    """Return the largest n with 10 ** n <= value (> 0)."""
    guess = math.floor(math.log10(value.numerator) - math.log10(value.denominator))
    while Fraction(10) ** guess > value:
        guess -= 1
    while Fraction(10) ** (guess + 1) <= value:
        guess += 1
    return guess
