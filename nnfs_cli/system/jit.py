"""Compile loops with Numba, if it is installed and the training is long enough to gain from it.

NumPy passes over all parameters once per operation; a compiled loop passes over them once for all operations. The loop
performs the same operations in the same order as the NumPy code that it replaces, each rounded by IEEE 754. So both
give the same bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

# Costs and savings in seconds, measured for Adam on an EPYC core; see `python -m tests.benchmarks`.
START = 0.7  # cost of importing Numba and compiling a loop
PER_CALL, PER_ENTRY = 6e-6, 1e-9


def worth_compiling(calls: int, entries: int) -> bool:
    """Return whether this number of calls on arrays (entries,) saves more time than compiling costs."""
    return calls * (PER_CALL + PER_ENTRY * entries) > START


@functools.cache
def compile_loop(
    loop: Callable[..., None], arrays: int, numbers: int, dtype: np.dtype[Any]
) -> Callable[..., None] | None:
    """Return the compiled loop, or None without Numba.

    `loop` takes `arrays` flat arrays and then `numbers` scalars, all of `dtype`. No option that changes rounding is
    set, and nothing is cached on disk.
    """
    try:
        import numba
        from numba.core.errors import NumbaError
    except ImportError:  # not installed, or too old for this NumPy
        return None
    if numba.config.DISABLE_JIT:
        return None
    number = numba.from_dtype(dtype)
    signature = numba.void(*[number[::1]] * arrays, *[number] * numbers)
    try:
        fast: Callable[..., None] = numba.njit(signature, error_model="numpy", nogil=True)(loop)
    except NumbaError:
        return None
    return fast
