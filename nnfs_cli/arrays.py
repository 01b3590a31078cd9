"""The types of arrays and shapes, and functions on arrays that several wings share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
PIECE = 1 << 16  # numbers of a large array that are looked at together
Shape = tuple[int, ...]  # of one row, without the batch axis


def member_axes(members: int) -> Shape:
    """Return the axes that stand before all others: (members,) in an ensemble, none for a single net.

    This is the one rule for "how many nets": 1 is a single net, whose arrays have no member axis.
    """
    return () if members == 1 else (members,)


def all_finite(array: Array) -> bool:
    """Return whether no entry is infinite or NaN. A large array is looked at piece by piece, which takes no memory."""
    if array.size <= PIECE or not array.flags.c_contiguous:
        return bool(np.isfinite(array).all())
    numbers = array.reshape(-1)
    return all(np.isfinite(numbers[start : start + PIECE]).all() for start in range(0, numbers.size, PIECE))


def evenly_spaced(n_rows: int, most: int) -> Array:
    """Return the indices (n,) of at most so many rows, evenly spaced; all of them if they are no more."""
    return np.linspace(0, n_rows - 1, min(n_rows, most)).astype(np.intp)


def total_weight(weight: Array) -> float:
    """Return the sum of the row weights (rows,); of weights (rows, members), the mean of the members' sums."""
    return float(np.add.reduce(weight, axis=None)) / math.prod(weight.shape[1:])
