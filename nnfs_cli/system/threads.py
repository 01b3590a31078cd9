"""Limit the number of threads that compute NumPy's matrix products."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from typing import Any

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
SHARE = 2**19  # multiplications per thread; from twice as many on, two threads are never slower than one


def limit_blas_threads(threads: object) -> None:
    """Limit the threads that NumPy's BLAS library starts. This has no effect once NumPy has been imported."""
    if isinstance(threads, int) and not isinstance(threads, bool) and threads > 0 and "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(VARIABLES, str(threads)))


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def useful_threads(multiplications: int, threads: int | None) -> int:
    """Return how many of the allowed threads (by default, one per core) speed up a product of this size."""
    return min(threads or available_cores(), -(-multiplications // SHARE)) or 1


@contextlib.contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Limit the threads of matrix products inside a `with` block. A lower limit stays; None changes nothing."""
    if threads is None:
        yield
        return
    libraries = _libraries()
    fewest = min([threads, *(library.num_threads for library in libraries.lib_controllers)])
    with libraries.limit(limits=fewest):
        yield


@functools.cache
def _libraries() -> Any:
    """Return the BLAS libraries of this process. Finding them is slow, because it inspects every loaded library."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
