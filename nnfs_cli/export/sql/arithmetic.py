"""Arithmetic, comparisons and functions of single numbers, where DuckDB, SQLite and PostgreSQL agree.

An exception of PostgreSQL would end the whole query, so divisions by 0, logarithms of what is not positive, and numbers
too large or small for a double are kept from happening.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from nnfs_cli.export.sql.terms import (
    AND,
    COMPARE,
    LARGEST,
    NOT,
    OR,
    PRODUCT,
    SUM,
    Term,
    binary,
    case,
    expression,
    number,
)

SINGLE = 3.4028235677973366e38  # from which on numbers are infinite in float32
FAR, TINY = 700.0, -300.0  # exponents beyond which exp is near the largest number, or as good as 0
IN_A_LINE = 4  # terms of a sum
AT_ONCE = 100  # terms of a sum or conditions; databases do not take expressions of any depth


def add(a: Term, b: Term) -> Term:
    """Return a + b."""
    if a.value is not None and b.value is not None:
        return number(a.value + b.value)
    if b.value is not None and b.value < 0:
        return subtract(a, number(-b.value))
    if b.value == 0 or a.value == 0:
        return a if b.value == 0 else b
    return binary(a, "+", b, SUM)


def subtract(a: Term, b: Term) -> Term:
    """Return a - b."""
    if a.value is not None and b.value is not None:
        return number(a.value - b.value)
    if b.value is not None and b.value < 0:
        return add(a, number(-b.value))
    return a if b.value == 0 else binary(a, "-", b, SUM)


def multiply(a: Term, b: Term) -> Term:
    """Return a · b."""
    if a.value is not None and b.value is not None:
        return number(a.value * b.value)
    if a.value == 1 or b.value == 1:
        return b if a.value == 1 else a
    return binary(a, "*", b, PRODUCT)


def divide(a: Term, b: Term) -> Term:
    """Return a / b, and NULL for b = 0."""
    if b.value is not None:
        if a.value is not None and b.value:
            return number(a.value / b.value)
        return a if b.value == 1 else binary(a, "/", b, PRODUCT) if b.value else number(float("nan"))
    return binary(a, "/", Term("number", ("NULLIF(", (b, OR), ", 0.0)")), PRODUCT)


def quotient(a: Term, b: Term) -> Term:
    """Return a / b for b that is never 0."""
    return binary(a, "/", b, PRODUCT)


def negative(a: Term) -> Term:
    """Return -a."""
    return number(-a.value) if a.value is not None else expression("-", a, level=SUM)


def absolute(a: Term) -> Term:
    """Return |a|."""
    return call("ABS", a)


def call(function: str, *arguments: Term) -> Term:
    """Return a call of a function that all databases have, on arguments that it takes."""
    pieces: list[str | tuple[Term, int]] = [f"{function}("]
    for i, argument in enumerate(arguments):
        pieces += [", "] * (i > 0) + [(argument, OR)]
    return Term("number", (*pieces, ")"))


def total(terms: Sequence[Term]) -> Term:
    """Return the sum of terms."""
    chunks = [reduce(add, terms[i : i + AT_ONCE]) for i in range(0, len(terms), AT_ONCE)]
    return reduce(add, chunks)


def weighted(terms: Sequence[Term], weights: Sequence[float]) -> Term:
    """Return the sum of terms times their weights, without those of weight 0."""
    pairs = [(term, float(weight)) for term, weight in zip(terms, weights, strict=True) if weight != 0]
    chunks = [_weighted(pairs[i : i + AT_ONCE]) for i in range(0, len(pairs), AT_ONCE)]
    return reduce(add, chunks, number(0))


def _weighted(pairs: Sequence[tuple[Term, float]]) -> Term:
    if all(term.value is not None for term, _ in pairs):
        return number(sum((term.value or 0.0) * weight for term, weight in pairs))
    found: list[str | tuple[Term, int]] = []
    for i, (term, weight) in enumerate(pairs):
        sign = "-" if weight < 0 else "+"
        line = "\n      " if i and i % IN_A_LINE == 0 else " "
        found += [f"{line}{sign} " if i else sign.strip("+"), (term, PRODUCT), f" * {abs(weight)!r}"]
    return Term("number", tuple(found), SUM)


def compare(a: Term, operator: str, b: Term) -> Term:
    """Return a condition, which is not true where a or b is NULL."""
    return binary(a, operator, b, COMPARE, "condition")


def is_null(x: Term) -> Term:
    """Return whether x is NULL."""
    return Term("condition", ((x, COMPARE + 1), " IS NULL"), COMPARE, sure=True)


def sure(condition: Term) -> Term:
    """Return a condition that is never NULL."""
    if condition.sure:
        return condition
    return Term("condition", ((condition, SUM), " IS TRUE"), COMPARE, sure=True)


def negated(condition: Term) -> Term:
    """Return whether a condition is not true."""
    if condition.sure:
        return Term("condition", ("NOT ", (condition, NOT + 1)), NOT, sure=True)
    return Term("condition", ((condition, SUM), " IS NOT TRUE"), COMPARE, sure=True)


def every(conditions: Sequence[Term]) -> Term:
    """Return whether all conditions are true."""
    return _joined(conditions, " AND ", AND)


def some(conditions: Sequence[Term]) -> Term:
    """Return whether any condition is true."""
    return _joined(conditions, " OR ", OR)


def _joined(conditions: Sequence[Term], word: str, level: int) -> Term:
    while len(conditions) > AT_ONCE:
        chunks = [conditions[i : i + AT_ONCE] for i in range(0, len(conditions), AT_ONCE)]
        conditions = [_joined(chunk, word, level) for chunk in chunks]
    if len(conditions) == 1:
        return conditions[0]
    pieces: list[str | tuple[Term, int]] = []
    for condition in conditions:
        pieces += [word] * bool(pieces) + [(condition, level + 1)]
    return Term("condition", tuple(pieces), level, sure=all(one.sure for one in conditions))


def maximum(a: Term, b: Term) -> Term:
    """Return the larger number, or NULL if one is NULL."""
    return _extreme(a, "<", b)


def minimum(a: Term, b: Term) -> Term:
    """Return the smaller number, or NULL if one is NULL."""
    return _extreme(a, ">", b)


def _extreme(a: Term, operator: str, b: Term) -> Term:
    if a.value is not None:
        a, b = b, a
    if a.value is not None and b.value is not None:
        return b if (a.value < b.value) == (operator == "<") else a
    if b.value is not None:
        return a if abs(b.value) == LARGEST else case((compare(a, operator, b), b), default=a)
    return case((compare(a, operator, b), b), (is_number(b), a))


def is_number(x: Term) -> Term:
    """Return whether x is neither NULL nor NaN, which is larger than all numbers where a database has it."""
    return Term("condition", ((x, SUM), " < 0.0 OR ", (negative(x), SUM), " <= 0.0"), OR)


def finite(x: Term, single: bool) -> Term:
    """Return whether x is neither NULL, NaN nor infinite, in float32 if it is `single`."""
    return compare(absolute(x), "<", number(SINGLE)) if single else compare(absolute(x), "<=", number(LARGEST))


def exp(x: Term) -> Term:
    """Return e to the power x."""
    within = case((compare(x, ">", number(FAR)), number(FAR)), (compare(x, "<", number(TINY)), number(TINY)), default=x)
    return call("EXP", within)


def log(x: Term) -> Term:
    """Return the natural logarithm of x, or NULL for x of 0 or less."""
    return case((compare(x, ">", number(0)), call("LN", x)))


def sqrt(x: Term) -> Term:
    """Return the square root of x, or NULL for x below 0."""
    return case((compare(x, ">=", number(0)), call("SQRT", x)))


def expm1(x: Term) -> Term:
    """Return exp(x) - 1 = tanh(x / 2) · (exp(x) + 1), which is exact for small x."""
    return multiply(call("TANH", divide(x, number(2))), add(exp(x), number(1)))


def log1p(x: Term) -> Term:
    """Return ln(1 + x), for small x as 2 artanh(x / (2 + x))."""
    small = multiply(number(2), call("ATANH", divide(x, add(number(2), x))))
    return case((compare(absolute(x), "<", number(0.5)), small), default=log(add(number(1), x)))


def sigmoid(x: Term) -> Term:
    """Return 1 / (1 + exp(-x))."""
    within = quotient(number(1), add(number(1), call("EXP", negative(x))))
    far = (compare(x, ">", number(-TINY)), number(1)), (compare(x, "<", number(TINY)), number(0))
    return case(*far, default=within)


def softmax(terms: Sequence[Term], single: bool) -> list[Term]:
    """Return exp(x) divided by its sum."""
    largest = reduce(maximum, terms)
    if single:
        largest = case((finite(largest, True), largest))
    below = [subtract(x, largest) for x in terms]
    powers = [case((compare(x, "<", number(TINY)), number(0)), default=call("EXP", x)) for x in below]
    whole = total(powers)
    return [quotient(x, whole) for x in powers]


def power(a: Term, b: Term) -> Term:
    """Return a to the power b, for a of 0 or more, or else NULL."""
    if b.value == 2:
        return multiply(a, a)
    return case((compare(a, ">=", number(0)), call("POWER", a, b)))


def sign_of(a: Term, b: Term) -> Term:
    """Return |a| with the sign of b."""
    return case((compare(b, "<", number(0)), negative(absolute(a))), default=absolute(a))


def floor_divide(a: Term, b: Term) -> Term:
    """Return the largest whole number that is at most a / b."""
    return call("FLOOR", divide(a, b))


def remainder(a: Term, b: Term) -> Term:
    """Return a - b · floor_divide(a, b)."""
    return subtract(a, multiply(b, floor_divide(a, b)))


def to_number(condition: Term) -> Term:
    """Return 1 where a condition is true, else 0."""
    return case((condition, number(1)), default=number(0))


def as_single(x: Term) -> Term:
    """Return x rounded to the 24 binary digits of float32 by Veltkamp's splitting, or NULL if it is infinite there."""
    factor = number(2.0**29 + 1)
    return case((finite(x, True), subtract(multiply(x, factor), subtract(multiply(x, factor), x))))
