"""The types of arrays and shapes, and functions of arrays that several wings share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]  # the shape of one row, without the batch axis


def all_finite(array: Array) -> bool:
    """Return whether every entry is finite."""
    return bool(np.isfinite(array).all())


def weight_of(weight: Array) -> float:
    """Return the total weight of the rows, (rows,) or (rows, members); with members, the mean of their totals."""
    return float(np.add.reduce(weight, axis=None)) / math.prod(weight.shape[1:])
