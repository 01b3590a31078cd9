"""What kernels call that Python cannot say; each has a meaning only in compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np

FLUSH = -1  # a mode of `set_float_mode`


def call(address: int, operands: int, lo: int, hi: int) -> int:
    """Call the compiled kernel at this address with the operands at that one."""
    raise NotImplementedError


def gemm(
    address: int, transpose_a: int, transpose_b: int, m: int, n: int, k: int,
    a: int, lda: int, b: int, ldb: int, c: int, ldc: int,
) -> None:  # fmt: skip
    """Call the CBLAS function at this address: c (m, n) = a (m, k) @ b (k, n), each at its address, by rows."""
    raise NotImplementedError


def load_shared(address: int) -> int:
    """Return the word at an address that other threads write to, and see all that they wrote before it."""
    raise NotImplementedError


def store_shared(address: int, word: int) -> None:
    """Write a word that other threads read, after all that was written before."""
    raise NotImplementedError


def add_shared(address: int, number: int) -> int:
    """Add to the word at an address in one step, and return what it was."""
    raise NotImplementedError


def exchange_shared(address: int, expected: int, word: int) -> int:
    """Write a word if the one at the address is as expected, in one step, and return what it was."""
    raise NotImplementedError


def pause() -> None:
    """Wait for some tens of cycles, in a loop that looks at a word of another thread."""
    raise NotImplementedError


def sleep(function: int, microseconds: int) -> None:
    """Leave the core to others for a while; `function` is the address of C's usleep."""
    raise NotImplementedError


def set_float_mode(mode: int) -> int:
    """Set how the current thread computes with floats, and return the mode from before, which restores what was.

    In the mode `FLUSH` numbers too small for full precision count as 0, because a processor needs a hundred times as
    long for each of them. Other processors than x86 keep their mode.
    """
    raise NotImplementedError


def multiply_add(a: float, b: float, c: float) -> float:
    """Return a · b + c, rounded once on processors that can do this as fast as a product, else twice."""
    return a * b + c


def float_of_bits(bits: Any) -> float:
    """Return the float32 with the bits of an integer of 32 bits, or the float64 with those of one of 64 bits."""
    number: float = bits.view(f"f{bits.itemsize}")
    return number


def bits_of_float(number: Any) -> Any:
    """Return the bits of a float32 as an int32, or those of a float64 as an int64."""
    return number.view(f"i{number.itemsize}")


def square_root(number: Any) -> Any:
    """Return the square root of a float, rounded correctly; NaN of a negative number."""
    return np.sqrt(number)
