"""Which way a figure is better, and whether one value is better than another."""

from __future__ import annotations

import math
from typing import Literal

Mode = Literal["min", "max"]  # whether a low figure is good, or a high one


def improves(value: float, best: float | None, mode: Mode, min_delta: float = 0.0) -> bool:
    """Whether `value` is better than `best` by more than `min_delta`; NaN never is, and all else beats NaN and None."""
    if best is None or math.isnan(best):
        return not math.isnan(value)
    return value < best - min_delta if mode == "min" else value > best + min_delta
