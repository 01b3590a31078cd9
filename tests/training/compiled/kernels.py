"""Call single kernels as machine code."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.entry import entry
from nnfs_cli.system.machine_code.kernel import Kernel
from nnfs_cli.system.machine_code.loader import load


def run(kernel: Kernel, dtype: Any, length: int, *operands: Array | int | float, cuts: tuple[int, ...] = ()) -> None:
    """Run a kernel over its axis of this length, in the pieces between the cuts."""
    call = entry(load([kernel], np.dtype(dtype))[kernel], kernel, operands, np.dtype(dtype))
    for lo, hi in pairwise([0, *sorted(min(cut, length) for cut in cuts), length]):
        call(lo, hi)
