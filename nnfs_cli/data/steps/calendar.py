"""Dates as positions in the year, the month, the week and the day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NotEmpty
from nnfs_cli.data.dates import DAY, days, local, utc, weekday
from nnfs_cli.data.steps.base import DateStep, Distinct, Fit, rounding_error
from nnfs_cli.data.weighted import deviation, mean
from nnfs_cli.pipeline import cells
from nnfs_cli.pipeline.elementwise import (
    add,
    cast,
    cos,
    divide,
    equal,
    floor_divide,
    less_equal,
    multiply,
    remainder,
    sin,
    subtract,
    where,
)
from nnfs_cli.pipeline.shapes import concatenate
from nnfs_cli.pipeline.value import Value

DatePart = Literal["trend", "year_cycle", "month_cycle", "week_cycle", "day_cycle", "weekend"]
DEFAULT_PARTS: tuple[DatePart, ...] = ("trend", "year_cycle", "week_cycle", "day_cycle")
MIN_SPREAD = 0.004  # of phases that vary; the leap day alone moves a date by 1/366 = 0.0027 of the year


class Calendar(DateStep, name="calendar", main="parts"):
    """Turn a date into its distance from the mean date and its position in the year, week and day.

    - trend = (days - mean) / std, with the mean and standard deviation of the training rows.
    - A cycle becomes two columns, sin(2π phase) and cos(2π phase), so that its end lies next to its beginning. The
      phase is the day of the year, month or week (Monday first), or the time of day, divided by the length of that
      year, month, week or day.
    - weekend = 1 on Saturdays and Sundays, else 0.

    The trend counts instants. The cycles and the weekend go by the local time of a date with an offset from UTC:
    2026-01-31 00:30+02:00 is early on a Saturday.

    Fitted: the mean and standard deviation of the days since 1970, the parts that vary, and whether cells are empty.
    An empty cell becomes 0 in every column. If training rows had empty cells, one more column is 1 in such rows and 0
    elsewhere; otherwise an empty cell is refused, unless there is `unseen: empty`.
    Source: Mardia and Jupp, "Directional Statistics" (2000), section 1.2.
    """

    examples = ("calendar", "calendar: [trend, weekend]", "calendar: {unseen: empty}")
    takes_zones = True

    parts: Annotated[tuple[DatePart, ...], NotEmpty, Distinct] | None = Field(default=None, kw_only=False)
    """Parts of the date, from trend, year_cycle, month_cycle, week_cycle, day_cycle and weekend. By default the trend
    and the cycles of the year, the week and the day, as far as they vary over training rows."""

    unseen: Literal["error", "empty"] = "error"
    """Treatment of an empty cell if no training row had one: it is refused, or it becomes 0 in every column."""

    def fit(self, dates: Array, weights: Array | None = None) -> Fit:
        """Return the parts, the mean and standard deviation of the days since 1970, and whether cells are empty."""
        known = ~np.isnat(utc(dates))
        there, weights = dates[known], None if weights is None else weights[known]
        if not len(there):
            raise ValueError("is empty in every training row, so there is no date to learn from; drop the column")
        since, clock = days(utc(there)), local(there)
        average, std = mean(since, weights), deviation(since, weights)
        moves = std > rounding_error(float(np.abs(since).max()))
        varying = [
            part for part in DEFAULT_PARTS if (moves if part == "trend" else np.ptp(_phase(part, clock)) > MIN_SPREAD)
        ]
        return {
            "parts": list(self.parts or varying or ["trend"]),
            "mean": average,
            "scale": std if moves else 1.0,
            "gaps": len(there) < len(dates),
        }

    def names(self, fit: Fit) -> tuple[str, ...]:
        """Return names such as "trend", "year sin" and "year cos"."""
        return (*(name for part in fit["parts"] for name in _names(part)), *(("is empty",) if fit["gaps"] else ()))

    def unknown(self, dates: Array, fit: Fit) -> Array:
        """Return which cells (rows,) are empty, if training rows had no empty cell, unless that is allowed."""
        return np.isnat(utc(dates)) & (self.unseen == "error" and not fit["gaps"])

    def transform(self, dates: Array, fit: Fit) -> Array:
        """Transform dates (rows,) into (rows, n)."""
        gaps = np.isnat(utc(dates))
        instants, clock = (np.where(gaps, np.datetime64(0, "us"), of(dates)) for of in (utc, local))
        since = (days(instants) - fit["mean"]) / fit["scale"]
        values = np.stack([column for part in fit["parts"] for column in _columns(part, since, clock)], axis=1)
        values[gaps] = 0
        return np.concatenate([values, gaps[:, None]], axis=1) if fit["gaps"] else values

    def operations(self, date: Value, fit: Fit) -> Value:
        """Return the parts of the date, and whether the cell is empty. The trend goes by the local time, too."""
        gap = equal(date, cells.EMPTY_DATE)
        date = where(gap, 0, date)
        trend = divide(subtract(divide(cast(date, "float64"), DAY), fit["mean"]), fit["scale"])
        parts = [value for part in fit["parts"] for value in _values(part, trend, date)]
        values = where(gap, 0.0, concatenate(parts))
        return concatenate([values, cast(gap, "float64")]) if fit["gaps"] else values

    def refused(self, date: Value, fit: Fit) -> Value | None:
        """Return whether the cell is empty, if training rows had no empty cell, unless that is allowed."""
        return equal(date, cells.EMPTY_DATE) if self.unseen == "error" and not fit["gaps"] else None


def _names(part: DatePart) -> tuple[str, ...]:
    cycle = part.removesuffix("_cycle")
    return (part,) if cycle == part else (f"{cycle} sin", f"{cycle} cos")


def _columns(part: DatePart, trend: Array, clock: Array) -> Iterator[Array]:
    """Yield the columns of one part, each (rows,), from the trend and the local times, without gaps."""
    if part == "trend":
        yield trend
    elif part == "weekend":
        yield (weekday(clock) >= 5).astype(np.float64)
    else:
        angle = 2 * np.pi * _phase(part, clock)
        yield np.sin(angle)
        yield np.cos(angle)


def _phase(part: DatePart, dates: Array) -> Array:
    """Return the position of dates (rows,) in a cycle: 0 at its beginning, towards 1 at its end."""
    if part == "day_cycle":
        return np.asarray(dates.astype(np.int64) % DAY / DAY)
    if part == "week_cycle":
        return weekday(dates) / 7
    now = dates.astype("datetime64[Y]" if part == "year_cycle" else "datetime64[M]")
    first, after = now.astype("datetime64[D]"), (now + 1).astype("datetime64[D]")
    return np.asarray((dates.astype("datetime64[D]") - first) / (after - first))


def _values(part: DatePart, trend: Value, date: Value) -> Iterator[Value]:
    """Yield what `_columns` does, as operations of a pipeline, each (1,)."""
    if part == "trend":
        yield trend
    elif part == "weekend":
        yield cast(less_equal(5, _weekday(date)), "float64")
    else:
        angle = multiply(2 * np.pi, _phase_of(part, date))
        yield sin(angle)
        yield cos(angle)


def _weekday(date: Value) -> Value:
    return remainder(add(floor_divide(date, DAY), 3), 7)  # day 0, in 1970, was a Thursday


def _phase_of(part: DatePart, date: Value) -> Value:
    """Return `_phase` as operations of a pipeline, (1,)."""
    if part == "day_cycle":
        return divide(cast(remainder(date, DAY), "float64"), DAY)
    if part == "week_cycle":
        return divide(cast(_weekday(date), "float64"), 7)
    if part == "year_cycle":
        place, length = cells.date_part(date, "day_of_year"), cells.date_part(date, "days_in_year")
    else:
        place, length = cells.date_part(date, "day_of_month"), cells.date_part(date, "days_in_month")
    return divide(cast(place, "float64"), cast(length, "float64"))
