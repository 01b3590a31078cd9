"""Operations that ONNX or onnxruntime does not have, composed of those that it has."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnfs_cli.data.dates import DAY
from nnfs_cli.export.onnx.angles import cos, sin
from nnfs_cli.export.onnx.normal import erf, normal_cdf, normal_quantile
from nnfs_cli.pipeline import elementwise as e
from nnfs_cli.pipeline.cells import EMPTY_DATE
from nnfs_cli.pipeline.shapes import concatenate, rows_of, sum_last, take
from nnfs_cli.pipeline.value import Value, constant

MOST_COMPARISONS = 64  # of one number with knots, in one step


def expm1(value: Value, x: Value) -> Value:
    """Compose exp(x) - 1 = tanh(x / 2) · (exp(x) + 1)."""
    return e.multiply(e.tanh(e.multiply(x, 0.5)), e.add(e.exp(x), 1))


def log1p(value: Value, x: Value) -> Value:
    """Compose ln(1 + x) = ln(u) · x / (u - 1), where u is 1 + x as rounded.

    Source: Kahan, in HP's "Mathematical functions on the HP-15C", as given by Goldberg, "What Every Computer Scientist
    Should Know About Floating-Point Arithmetic" (1991), theorem 4.
    """
    u = e.add(x, 1)
    step = e.subtract(u, 1)
    corrected = e.multiply(e.log(u), e.divide(x, step))
    return e.where(e.equal(step, 0), x, e.where(e.equal(step, x), e.log(u), corrected))


def sigmoid(value: Value, x: Value) -> Value:
    """Compose 1 / (1 + exp(-x)), which onnxruntime cuts off at x = ±18."""
    small = e.exp(e.negative(e.absolute(x)))
    return e.divide(e.where(e.less(x, 0), small, 1), e.add(small, 1))


def is_finite(value: Value, x: Value) -> Value:
    """Compose |x| < ∞, which is false for NaN."""
    return e.less(e.absolute(x), math.inf) if x.dtype.startswith("float") else e.equal(x, x)


def sign_of(value: Value, a: Value, b: Value) -> Value:
    """Compose |a| with the sign of b, also of b = -0."""
    minus_zero = e.logical_and(e.equal(b, 0), e.less(e.divide(1, b), 0))
    size = e.absolute(a)
    return e.where(e.logical_or(e.less(b, 0), minus_zero), e.negative(size), size)


def floor_divide(value: Value, a: Value, b: Value) -> Value:
    """Compose a division that rounds down of one that rounds towards 0, as that of whole numbers does in ONNX."""
    found = e.divide(a, b)
    return e.subtract(found, e.cast(e.less(a, e.multiply(found, b)), "int64"))


def where_of_truths(value: Value, condition: Value, a: Value, b: Value) -> Value:
    """Compose a choice between truths."""
    return e.logical_or(e.logical_and(condition, a), e.logical_and(e.logical_not(condition), b))


def cumulative_max(value: Value, x: Value) -> Value:
    """Compose the largest entries up to each: each step doubles how many entries it looks back at."""
    n = x.width
    for step in (2**i for i in range((n - 1).bit_length())):
        both = e.maximum(take(x, range(step, n)), take(x, range(n - step)))
        x = concatenate([take(x, range(step)), both])
    return x


def count_below(value: Value, x: Value, knots: Value) -> Value:
    """Compare a number with all knots, or first with each w-th knot and then with those behind the last one below it.

    Comparisons are "not above", so that NaN counts as above all knots.
    """
    or_equal = bool(value.settings["or_equal"])
    found, n = knots.array.reshape(-1), knots.array.size
    if n <= MOST_COMPARISONS:
        return _count(x, constant(found), or_equal)
    width = math.isqrt(n - 1) + 1
    padded = np.full(width * width, np.inf, found.dtype)
    padded[:n] = found
    block = _count(x, constant(found[width - 1 :: width]), or_equal)
    within = rows_of(constant(padded.reshape(width, width)), e.minimum(block, width - 1))
    return e.minimum(e.add(e.multiply(block, width), _count(x, within, or_equal)), n)


def _count(x: Value, knots: Value, or_equal: bool) -> Value:
    above = e.less(x, knots) if or_equal else e.less_equal(x, knots)
    return sum_last(e.cast(e.logical_not(above), "int64"))


def date_part(value: Value, date: Value) -> Value:
    """Compose a part of a date from whole numbers, with years that begin in March: then leap days come last.

    Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), `civil_from_days`.
    """
    days = e.add(e.floor_divide(date, DAY), 719_468)  # since March 1 of the year 0
    day = e.remainder(days, 146_097)  # of a cycle of 400 years
    leaps = _sum(e.floor_divide(day, 1460), e.floor_divide(day, 146_096), e.negative(e.floor_divide(day, 36_524)))
    year = e.floor_divide(e.subtract(day, leaps), 365)  # of the cycle
    days_before = _sum(e.multiply(year, 365), e.floor_divide(year, 4), e.negative(e.floor_divide(year, 100)))
    day_of_year = e.subtract(day, days_before)  # from March 1 on
    month = e.floor_divide(e.add(e.multiply(day_of_year, 5), 2), 153)  # 0 is March
    from_january = e.less(305, day_of_year)
    leap = _is_leap(e.add(year, e.cast(from_january, "int64")))
    part = value.settings["part"]
    if part == "days_in_year":
        found = e.add(leap, 365)
    elif part == "day_of_year":
        found = e.where(from_january, e.subtract(day_of_year, 306), _sum(day_of_year, leap, 59))
    elif part == "day_of_month":
        found = e.subtract(day_of_year, _days_before(month))
    else:
        days_of_month = e.subtract(_days_before(e.add(month, 1)), _days_before(month))
        found = e.where(e.equal(month, 11), e.add(leap, 28), days_of_month)
    return e.where(e.equal(date, constant([EMPTY_DATE])), 0, found)


def _is_leap(year: Value) -> Value:
    """Return 1 for a leap year, whole numbers of a cycle of 400 years, else 0."""
    fourth, century, cycle = (e.equal(e.remainder(year, n), 0) for n in (4, 100, 400))
    return e.cast(e.logical_or(e.logical_and(fourth, e.logical_not(century)), cycle), "int64")


def _days_before(month: Value) -> Value:
    """Return how many days of a year from March on lie before a month."""
    return e.floor_divide(e.add(e.multiply(month, 153), 2), 5)


def _sum(first: Value, *others: Value | int) -> Value:
    for other in others:
        first = e.add(first, other)
    return first


def composed(value: Value) -> Value | None:
    """Return an operation as a composition of others, or None if ONNX has an operator for it."""
    if value.operation == "where" and value.dtype == "bool":
        return where_of_truths(value, *value.inputs)
    if value.operation in ("sin", "cos", "erf") and value.dtype == "float32":
        return None
    compose = COMPOSITIONS.get(value.operation)
    return compose(value, *value.inputs) if compose else None


COMPOSITIONS: dict[str, Callable[..., Value]] = {
    "sin": sin,
    "cos": cos,
    "expm1": expm1,
    "log1p": log1p,
    "sigmoid": sigmoid,
    "is_finite": is_finite,
    "sign_of": sign_of,
    "floor_divide": floor_divide,
    "cumulative_max": cumulative_max,
    "count_below": count_below,
    "date_part": date_part,
    "erf": erf,
    "normal_cdf": normal_cdf,
    "normal_quantile": normal_quantile,
}
