"""The types of arrays and shapes, and what several wings ask of an array."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]  # of one row: without the batch axis


def all_finite(array: Array) -> bool:
    """Whether every entry is a number."""
    return bool(np.isfinite(array).all())


def weight_of(weight: Array) -> float:
    """What rows weigh together; for several members, which may each count them in its own way, on average."""
    return float(np.add.reduce(weight, axis=None)) / math.prod(weight.shape[1:])
