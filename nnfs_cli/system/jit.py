"""Loops that Numba compiles, where it is installed, and once training is long enough to pay for it.

NumPy goes over all parameters once for every operation; a compiled loop goes over them once for all. Such a loop makes
the same operations on every entry in the same order as the NumPy lines whose place it takes, each rounded as IEEE 754
says, so that both give the same bytes and nothing depends on which of them ran.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

# What they cost and save, in seconds, measured for Adam on an EPYC core: see `python -m tests.benchmarks`.
START = 0.7  # to import Numba and to compile a loop
PER_CALL, PER_ENTRY = 6e-6, 1e-9


def worth_compiling(calls: int, entries: int) -> bool:
    """Whether so many calls on arrays (entries,) would have saved what compiling costs."""
    return calls * (PER_CALL + PER_ENTRY * entries) > START


@functools.cache
def compile_loop(
    loop: Callable[..., None], arrays: int, numbers: int, dtype: np.dtype[Any]
) -> Callable[..., None] | None:
    """A loop over so many flat arrays, which takes so many numbers besides, all of the dtype; None without Numba.

    No option that lets a compiler round otherwise is set, nor is anything kept on disk.
    """
    try:
        import numba
        from numba.core.errors import NumbaError
    except ImportError:  # there is none, or none for this NumPy
        return None
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return None
    number = numba.from_dtype(dtype)
    signature = numba.void(*[number[::1]] * arrays, *[number] * numbers)
    try:
        fast: Callable[..., None] = numba.njit(signature, error_model="numpy", nogil=True)(loop)
    except NumbaError:
        return None
    return fast
