"""Dates as microseconds since 1970: read from their texts, which all databases write alike, and taken apart.

Source of the calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013). Years begin in March, so
that a day too many, of a leap year, is the last.
"""

from __future__ import annotations

from nnfs_cli.export.sql.arithmetic import (
    add,
    compare,
    every,
    floor_divide,
    is_null,
    multiply,
    negated,
    remainder,
    some,
    subtract,
    to_number,
)
from nnfs_cli.export.sql.terms import COMPARE, OR, Term, case, expression, number
from nnfs_cli.pipeline.cells import EMPTY_DATE

DAY = 86_400e6  # microseconds


def microseconds(text: Term) -> Term:
    """Return the microseconds since 1970 of the text of a date, which has no offset from UTC."""
    year, month, day, hour, minute = (_digits(text, *place) for place in ((1, 4), (6, 2), (9, 2), (12, 2), (15, 2)))
    second = case(
        (_longer(text, 17), expression("CAST(SUBSTR(", text, ", 18, 9) AS DOUBLE PRECISION)")), default=number(0)
    )
    minutes = add(
        multiply(case((_longer(text, 11), hour), default=number(0)), number(60)),
        case((_longer(text, 14), minute), default=number(0)),
    )
    days = _days(year, month, day)
    found = add(multiply(days, number(DAY)), add(multiply(minutes, number(60e6)), multiply(second, number(1e6))))
    return case((is_null(text), number(EMPTY_DATE)), default=found)


def _digits(text: Term, first: int, n: int) -> Term:
    return expression("CAST(SUBSTR(", text, f", {first}, {n}) AS DOUBLE PRECISION)")


def _longer(text: Term, n: int) -> Term:
    return Term("condition", ("LENGTH(", (text, OR), f") > {n}"), COMPARE)


def _days(year: Term, month: Term, day: Term) -> Term:
    """Return the days since 1970-01-01."""
    early = compare(month, "<", number(3))
    y = subtract(year, to_number(early))
    m = add(month, case((early, number(9)), default=number(-3)))
    of_year = add(floor_divide(add(multiply(m, number(153)), number(2)), number(5)), subtract(day, number(1)))
    of_years = add(_leap_days(y), multiply(y, number(365)))
    return subtract(add(of_years, of_year), number(719_468))


def _leap_days(y: Term) -> Term:
    return add(subtract(floor_divide(y, number(4)), floor_divide(y, number(100))), floor_divide(y, number(400)))


def date_part(date: Term, part: str) -> Term:
    """Return the day of the year or month from 0 on, or how many days it has, and 0 for an empty date."""
    days = floor_divide(date, number(DAY))
    year, month, day = _civil(days)
    leap = some([_divides(400, year), every([_divides(4, year), negated(_divides(100, year))])])
    if part == "days_in_year":
        found = add(number(365), to_number(leap))
    elif part == "day_of_year":
        found = subtract(days, _days(year, number(1), number(1)))
    elif part == "day_of_month":
        found = subtract(day, number(1))
    else:
        short = some([compare(month, "=", number(k)) for k in (4, 6, 9, 11)])
        february = compare(month, "=", number(2))
        found = case((february, add(number(28), to_number(leap))), (short, number(30)), default=number(31))
    return case((compare(date, "=", number(EMPTY_DATE)), number(0)), default=found)


def _divides(n: int, year: Term) -> Term:
    return compare(remainder(year, number(n)), "=", number(0))


def _civil(days: Term) -> tuple[Term, Term, Term]:
    """Return the year, the month and the day of days since 1970-01-01."""
    z = add(days, number(719_468))
    era = floor_divide(z, number(146_097))
    doe = subtract(z, multiply(era, number(146_097)))
    leaps = subtract(
        floor_divide(doe, number(36_524)), add(floor_divide(doe, number(1_460)), floor_divide(doe, number(146_096)))
    )
    yoe = floor_divide(add(doe, leaps), number(365))
    doy = subtract(
        doe, add(multiply(yoe, number(365)), subtract(floor_divide(yoe, number(4)), floor_divide(yoe, number(100))))
    )
    mp = floor_divide(add(multiply(doy, number(5)), number(2)), number(153))
    day = add(subtract(doy, floor_divide(add(multiply(mp, number(153)), number(2)), number(5))), number(1))
    late = compare(mp, "<", number(10))
    month = add(mp, case((late, number(3)), default=number(-9)))
    year = add(add(yoe, multiply(era, number(400))), case((late, number(0)), default=number(1)))
    return year, month, day
