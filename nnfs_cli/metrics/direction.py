"""What "better" means: the direction of a figure, and the comparison of two values."""

from __future__ import annotations

import math
from typing import Literal

Mode = Literal["min", "max"]  # the direction in which a figure is better


def improves(value: float, best: float | None, mode: Mode, min_delta: float = 0.0) -> bool:
    """Return whether `value` beats `best` by more than `min_delta`. NaN never does; any number beats NaN or None."""
    if best is None or math.isnan(best):
        return not math.isnan(value)
    return value < best - min_delta if mode == "min" else value > best + min_delta
