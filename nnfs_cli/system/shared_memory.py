"""Arrays that a process shares with those that are forked from it."""

from __future__ import annotations

import math
import mmap
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array, Shape


def shared_zeros(shape: Shape, dtype: np.dtype[Any]) -> Array:
    """Return zeros in memory without a name, which is freed with the last process that has it.

    Raises `OSError` if there is not enough memory.
    """
    size = math.prod(shape)
    memory = mmap.mmap(-1, max(size * dtype.itemsize, 1))
    return np.frombuffer(memory, dtype, size).reshape(shape)
