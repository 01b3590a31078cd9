"""Call single kernels as machine code."""

from __future__ import annotations

import ctypes
import struct
from itertools import pairwise
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.kernel import Kernel
from nnfs_cli.system.machine_code.loader import load


def run(kernel: Kernel, dtype: Any, length: int, *operands: Array | int | float, cuts: tuple[int, ...] = ()) -> None:
    """Run a kernel over its axis of this length, in the pieces between the cuts."""
    address = load([kernel], np.dtype(dtype))[kernel]
    call = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 3, ctypes.c_int64, ctypes.c_int64)(address)
    words, spare = np.array([_word(operand) for operand in operands], np.int64), np.zeros(2, np.int64)
    for lo, hi in pairwise([0, *sorted(min(cut, length) for cut in cuts), length]):
        call(spare.ctypes.data, spare.ctypes.data, words.ctypes.data, lo, hi)


def _word(operand: Array | int | float) -> int:
    if isinstance(operand, np.ndarray):
        assert operand.flags.c_contiguous
        return operand.ctypes.data
    return struct.unpack("<q", struct.pack("<d", operand))[0] if isinstance(operand, float) else operand
