"""Call compiled kernels from Python: their operands as words of 64 bits."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.kernel import Kernel

Entry = Callable[[int, int], int]  # runs a kernel over the range lo to hi, without the GIL


def entry(at: int, called: Kernel, operands: Sequence[Any], dtype: np.dtype[Any]) -> Entry:
    """Return the function of lo and hi that calls a kernel, which is at an address, with these operands."""
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 3, ctypes.c_int64, ctypes.c_int64)
    words = np.array(words_of(called, operands, dtype), np.int64)
    function, spare, first = kind(at), (ctypes.c_int64 * 2)(), address(words)
    unused = ctypes.addressof(spare)

    def enter(lo: int, hi: int, _keep: Any = (spare, words, operands)) -> int:
        status: int = function(unused, unused, first, lo, hi)
        return status

    return enter


def words_of(called: Kernel, operands: Sequence[Any], dtype: np.dtype[Any]) -> list[int]:
    """Return the operands of a kernel as words: addresses of arrays, whole numbers, or the bits of a float64.

    Raises `TypeError` if an operand is not what the kernel takes.
    """
    others = {"d*": np.float64, "i*": np.int64, "j*": np.int32}
    entries = {"f*": dtype, **{kind: np.dtype(of) for kind, of in others.items()}}
    words: list[int] = []
    for kind, operand in zip(called.kinds, operands, strict=True):
        if kind == "f":
            words += struct.unpack("<q", struct.pack("<d", operand))
        elif not isinstance(operand, np.ndarray):
            words.append(index(operand))
        elif operand.flags.c_contiguous and operand.dtype == entries.get(kind, operand.dtype):
            words.append(address(operand))  # also in place of a whole number, see `Recorder.product`
        else:
            found = f"{operand.dtype} of shape {operand.shape}"
            raise TypeError(f"{called.function.__name__} takes contiguous arrays of its own dtypes, found {found}")
    return words


def address(array: Array) -> int:
    """Return the address of the first entry of an array."""
    first: int = array.__array_interface__["data"][0]
    return first
