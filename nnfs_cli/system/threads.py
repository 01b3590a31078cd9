"""How many threads may make NumPy's matrix products."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from typing import Any

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
SHARE = 2**19  # multiplications that are worth a thread: two threads are never slower on twice as many


def limit_blas_threads(threads: object) -> None:
    """Let the library below NumPy start no more threads than a config says. Does nothing once NumPy is loaded."""
    if isinstance(threads, int) and not isinstance(threads, bool) and threads > 0 and "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(VARIABLES, str(threads)))


def available_cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def useful_threads(multiplications: int, threads: int | None) -> int:
    """How many threads, of those that a config allows or else of the cores, are worth a product of this size."""
    return min(threads or available_cores(), -(-multiplications // SHARE)) or 1


@contextlib.contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """For a while, no more threads than these make a product; they may be fewer already. None changes nothing."""
    if threads is None:
        yield
        return
    libraries = _libraries()
    fewest = min([threads, *(library.num_threads for library in libraries.lib_controllers)])
    with libraries.limit(limits=fewest):
        yield


@functools.cache
def _libraries() -> Any:
    """Those that make NumPy's products; to find them takes a look at all that is loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
