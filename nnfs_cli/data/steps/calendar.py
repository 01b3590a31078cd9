"""What the calendar and the clock say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NotEmpty
from nnfs_cli.data.dates import DAY, days
from nnfs_cli.data.steps.base import DateStep, Different, Fit, rounding

Part = Literal["trend", "year_cycle", "month_cycle", "week_cycle", "day_cycle", "weekend"]
UNASKED: tuple[Part, ...] = ("trend", "year_cycle", "week_cycle", "day_cycle")
STILL = 0.004  # of a cycle: the first of July stands elsewhere in a leap year, and is yet the same day


class Calendar(DateStep, name="calendar", main="parts"):
    """Parts of a date: how long before or after the mean date it is, and where in the year, the week and the day.

    trend = (days - mean) / std, of the training rows. A cycle is two columns, sin and cos of 2π · phase, so that its
    end is next to its beginning: the phase is the day of the year, of the month or of the week (whole days, Monday
    first), or the time of day, over the length of that year, month, week or day. weekend is 1 on Saturdays and Sundays.

    An empty cell is 0 in all of them, and where training rows had one, a further column is 1 there and 0 elsewhere.
    Source: Mardia and Jupp, "Directional Statistics" (2000), section 1.2.
    """

    examples = ("calendar", "calendar: [trend, weekend]")

    parts: Annotated[tuple[Part, ...], NotEmpty, Different] | None = None
    """Which of trend, year_cycle, month_cycle, week_cycle, day_cycle and weekend; unless set, the trend and the cycles
    of the year, the week and the day, as far as they vary over training rows."""

    def fit(self, dates: Array) -> Fit:
        """The parts, mean and standard deviation of the days since 1970, and whether any cells are empty."""
        there = dates[~np.isnat(dates)]
        if not len(there):
            raise ValueError("is empty in every training row, so there is no date to learn from; drop it")
        since = days(there)
        mean, std = float(since.mean()), float(since.std())
        moves = std > rounding(float(np.abs(since).max()))
        varying = [part for part in UNASKED if (moves if part == "trend" else np.ptp(_phase(part, there)) > STILL)]
        return {
            "parts": list(self.parts or varying or ["trend"]),
            "mean": mean,
            "scale": std if moves else 1.0,
            "gaps": len(there) < len(dates),
        }

    def names(self, fit: Fit) -> tuple[str, ...]:
        """As in "trend", "year sin" and "year cos"."""
        return (*(name for part in fit["parts"] for name in _names(part)), *(("is empty",) if fit["gaps"] else ()))

    def unknown(self, dates: Array, fit: Fit) -> Array:
        """Empty cells, where training rows had none."""
        return np.isnat(dates) & (not fit["gaps"])

    def transform(self, dates: Array, fit: Fit) -> Array:
        """(rows,) -> (rows, n)."""
        gaps = np.isnat(dates)
        there = np.where(gaps, np.datetime64(0, "us"), dates)
        values = np.stack([column for part in fit["parts"] for column in _columns(part, there, fit)], axis=1)
        values[gaps] = 0
        return np.concatenate([values, gaps[:, None]], axis=1) if fit["gaps"] else values


def _names(part: Part) -> tuple[str, ...]:
    cycle = part.removesuffix("_cycle")
    return (part,) if cycle == part else (f"{cycle} sin", f"{cycle} cos")


def _columns(part: Part, dates: Array, fit: Fit) -> Iterator[Array]:
    """Of dates without gaps, each (rows,)."""
    if part == "trend":
        yield (days(dates) - fit["mean"]) / fit["scale"]
    elif part == "weekend":
        yield (_weekday(dates) >= 5).astype(np.float64)
    else:
        angle = 2 * np.pi * _phase(part, dates)
        yield np.sin(angle)
        yield np.cos(angle)


def _phase(part: Part, dates: Array) -> Array:
    """Where in a cycle dates (rows,) are: from 0 at its beginning to 1 at its end."""
    if part == "day_cycle":
        return np.asarray(dates.astype(np.int64) % DAY / DAY)
    if part == "week_cycle":
        return _weekday(dates) / 7
    now = dates.astype("datetime64[Y]" if part == "year_cycle" else "datetime64[M]")
    first, after = now.astype("datetime64[D]"), (now + 1).astype("datetime64[D]")
    return np.asarray((dates.astype("datetime64[D]") - first) / (after - first))


def _weekday(dates: Array) -> Array:
    """From 0 for Monday to 6 for Sunday; the first day of 1970 was a Thursday."""
    weekday: Array = (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return weekday
