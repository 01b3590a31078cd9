"""Limit the number of threads that compute NumPy's matrix products, and those of scikit-learn's boosting."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

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
    """Limit the threads of matrix products inside a `with` block. A lower limit stays; None asks for no limit.

    BLAS has one limit for the whole process. While several threads are inside such blocks, each gets its share of the
    limit from before the first block, but at least one thread, and no more than the lowest limit asked for. The limit
    from before is restored when the last block ends, in whatever order the blocks end.

    The number of threads can change the last bits of a large product. So a net whose products are worth several
    threads is trained to the same bytes beside other trainings only with `threads: 1`.
    """
    request = _requests.add(threads)
    try:
        yield
    finally:
        _requests.remove(request)


def openmp_limit(threads: int | None) -> contextlib.AbstractContextManager[object]:
    """Limit the OpenMP threads of the current thread, such as those of boosting, inside a `with` block.

    None asks for no limit. Only libraries that are loaded before the block are limited.
    """
    from threadpoolctl import threadpool_limits

    limit: contextlib.AbstractContextManager[object] = threadpool_limits(threads, user_api="openmp")
    return limit


class _Request(NamedTuple):
    """A `with` block that is being run."""

    thread: int  # the identity of the thread that runs it
    most: float  # the limit that it asks for
    before: list[int]  # the limits from before, of the libraries that have a limit for each thread


class _Requests:
    """The blocks that ask for a limit now, and the limit that each BLAS library had before the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[_Request] = []
        self._shared: list[Any] = []  # libraries with one limit for the whole process
        self._own: list[Any] = []  # libraries with a limit for each thread
        self._before: list[int] = []  # one number for each shared library
        self._set: list[int] = []  # what was set here last

    def add(self, threads: int | None) -> _Request:
        """Note a block of the current thread, and set the limits that follow."""
        with self._lock:
            most = threads or math.inf
            if not self._active:
                _prepare_for_forks()
                self._own, self._shared = _libraries()
                self._before = self._set = [library.num_threads for library in self._shared]
            else:
                for library, ours in zip(self._shared, self._set, strict=True):
                    # A lower count than what was set here is a limit that somebody else has set since, such as a block
                    # of threadpoolctl around this one.
                    if (count := library.num_threads) < ours:
                        most = min(most, count)
            request = _Request(threading.get_ident(), most, [library.num_threads for library in self._own])
            inner = any(other.thread == request.thread for other in self._active)  # so its thread has its share already
            self._active.append(request)
            active = self._set_shared()
            for library, count in zip(self._own, request.before, strict=True):
                library.set_num_threads(_limit(count, 1 if inner else active, most))
            return request

    def remove(self, request: _Request) -> None:
        """Forget a block that has ended, and set the limits that follow."""
        with self._lock:
            if request in self._active:  # it is not in a process forked by another thread
                self._active.remove(request)
            self._set_shared()
            for library, count in zip(self._own, request.before, strict=True):
                library.set_num_threads(count)

    def keep_one_thread(self) -> None:
        """Forget the blocks of all threads but this one, which is the only one that a forked process has."""
        self._lock = threading.Lock()  # another thread may have held the old one
        self._active = [request for request in self._active if request.thread == threading.get_ident()]
        self._set_shared()

    def _set_shared(self) -> int:
        """Set the limits of the shared libraries, and return the number of threads inside blocks."""
        active, limits = 1, self._before
        if self._active:
            active = len({request.thread for request in self._active})
            lowest = min([request.most for request in self._active])
            limits = [_limit(before, active, lowest) for before in self._before]
        if limits != self._set:
            for library, limit in zip(self._shared, limits, strict=True):
                _set_limit(library, limit)
            self._set = limits
        return active


def _limit(before: int, active: int, most: float) -> int:
    return int(max(1, min(before // active, most)))


def _set_limit(library: Any, limit: int) -> None:
    """Set the limit of a library from any thread.

    In threadpoolctl 3.8, the first thread that sets a limit of OpenBLAS is the only one that can, until this is
    cleared; calls from other threads do nothing.
    """
    clear = getattr(library, "clear_controlling_thread", None)
    if clear is None:
        library.set_num_threads(limit)
    else:
        clear(force=True)
        library.set_num_threads(limit)
        clear()


_requests = _Requests()


@functools.cache
def _libraries() -> tuple[list[Any], list[Any]]:
    """Return the BLAS libraries of this process: those with a limit for each thread, and those with one for all.

    Finding them is slow, because it inspects every loaded library.
    """
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    own = [library for library in found if getattr(library, "threading_layer", "") == "openmp"]
    return own, [library for library in found if library not in own]


@functools.cache
def _prepare_for_forks() -> None:
    """Keep the requests right in a process that `os.fork` makes while several threads are inside blocks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_requests.keep_one_thread)
