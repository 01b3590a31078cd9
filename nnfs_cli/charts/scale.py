"""A scale: it puts the numbers of an axis at pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.ticks import Tick, linear_ticks, log_ticks

LARGEST = 1e308
WIDE = 50.0  # ratio of the largest to the smallest number, from which on an axis is logarithmic
ALIKE = 1e-9  # numbers that differ by less than this share count as the same


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` lie at pixels from `start` to `end`, by their value or by their logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False

    @classmethod
    def around(
        cls, values: Array, start: float, end: float, *, log: bool = False, margin: float = 0.0, zero: bool = False
    ) -> Self:
        """Return a scale that holds all finite values, with a margin at both ends, as a share of the range.

        The margin does not go beyond 0 if no value does. `zero` asks for a scale that begins or ends at 0.
        """
        values = values[np.isfinite(values) & ((values > 0) | (not log))]
        if not values.size:
            values = np.array([1.0, 10.0] if log else [0.0, 1.0])
        low, high = (float(np.clip(edge, -LARGEST, LARGEST)) for edge in (values.min(), values.max()))
        if zero and not log:
            low, high = min(low, 0.0), max(high, 0.0)
        if log:
            low, high = math.log10(low), math.log10(high)
        low, high = _apart(low, high)
        pad = margin * (high / 2 - low / 2) * 2
        outer = max(low - pad, -LARGEST), min(high + pad, LARGEST)
        if log:
            outer = 10 ** max(outer[0], -307.0), 10 ** min(outer[1], 308.0)
        else:
            outer = 0.0 if outer[0] < 0 <= low else outer[0], 0.0 if high <= 0 < outer[1] else outer[1]
        whole = bool(high - low >= 1 and (values == np.round(values)).all())
        return cls(*outer, start, end, log, whole)

    def shows(self, values: Array) -> Array:
        """Return which of the values have a place on this scale."""
        return np.isfinite(values) & (values >= self.low) & (values <= self.high)

    def clip(self, values: Array) -> Array:
        """Return the values, or the end of the scale that is nearest to them."""
        return np.clip(values, self.low, self.high)

    def place(self, values: Array) -> Array:
        """Return the pixels of values, rounded to a tenth."""
        if self.log:
            low, high, values = math.log10(self.low), math.log10(self.high), np.log10(values)
        else:
            low, high = self.low, self.high
        share = (values / 2 - low / 2) / (high / 2 - low / 2)  # halves: a difference may overflow
        return np.round(self.start + (self.end - self.start) * share, 1)

    def at(self, value: float) -> float:
        """Return the pixel of one value."""
        return float(self.place(np.array(value, dtype=float)))

    def ticks(self, most: int) -> list[Tick]:
        """Return at most `most` ticks."""
        if self.log:
            return log_ticks(self.low, self.high, most)
        return linear_ticks(self.low, self.high, most, self.whole)


def has_wide_range(values: Array) -> bool:
    """Return whether all finite values are positive and so far apart that a logarithmic axis shows them better."""
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() > 0 and finite.max() / WIDE > finite.min())


def _apart(low: float, high: float) -> tuple[float, float]:
    """Return a range that is wide enough to be drawn."""
    size = max(abs(low), abs(high))
    if high / 2 - low / 2 > max(size * ALIKE, 1e-290):
        return low, high
    pad = max(size * 0.1, 1e-280) if size else 1.0
    return max(low - pad, -LARGEST), min(high + pad, LARGEST)
