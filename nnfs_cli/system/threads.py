"""Limits of threads: NumPy's BLAS computes with one, and large products are shared among a few of our own.

The threads of a BLAS library wait for each other in busy loops. On a machine that other processes use, too, a product
of two threads takes many times as long as a product of one, and several times its processor time.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

OF_BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
VARIABLES = ("OMP_NUM_THREADS", *OF_BLAS)


def prepare_threads() -> None:
    """Let NumPy's BLAS start no threads, and let those of OpenMP sleep while they wait.

    This has no effect on libraries that have been loaded. Boosting with two threads took seven times the processor time
    on a busy machine while its threads waited in busy loops.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if "numpy" not in sys.modules:
        limits = [int(value) for name in VARIABLES if (value := os.environ.get(name, "")).isdecimal()]
        _limits.most = min(limits, default=0)
        os.environ.update(dict.fromkeys(OF_BLAS, "1"))


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def allowed_threads() -> int:
    """Return how many threads the current thread may compute with; 1 outside of `thread_limit`."""
    return _limits.allowed()


@contextlib.contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Compute with one thread of BLAS, and with at most `threads` of our own, inside a `with` block.

    None stands for one thread per core. A lower limit stays, also one that was set for BLAS before. While several
    threads are inside such blocks, they share the cores. The limit of BLAS from before is restored when the last block
    ends, in whatever order the blocks end. The number of threads changes no byte of a result.
    """
    request = _limits.add(threads)
    try:
        yield
    finally:
        _limits.remove(request)


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


class _Limits:
    """The blocks that are being run now, and the limit that each BLAS library had before the first of them."""

    def __init__(self) -> None:
        self.most: int | None = (
            None  # the limit in the user's variables, if BLAS was started without threads; 0 for none
        )
        self._lock = threading.Lock()
        self._active: list[_Request] = []
        self._before: list[int] = []  # one number for each library with one limit for the whole process

    def add(self, threads: int | None) -> _Request:
        """Note a block of the current thread, and leave one thread to BLAS."""
        with self._lock:
            own, shared = _libraries()
            now = [library.num_threads for library in own]
            if not self._active:
                _prepare_for_forks()
                self._before = [library.num_threads for library in shared]
            before = self._before + now
            for library in (*shared, *own):
                _set_limit(library, 1)
            most = min([threads or math.inf, *(before if self.most is None else [self.most or math.inf])])
            request = _Request(threading.get_ident(), most, now)
            self._active.append(request)
            return request

    def remove(self, request: _Request) -> None:
        """Forget a block that has ended, and restore the limit after the last."""
        with self._lock:
            own, shared = _libraries()
            if request in self._active:  # it is not in a process forked by another thread
                self._active.remove(request)
            if not self._active:
                for library, limit in zip(shared, self._before, strict=True):
                    _set_limit(library, limit)
            for library, limit in zip(own, request.before, strict=True):
                library.set_num_threads(limit)

    def allowed(self) -> int:
        """Return the lowest limit of the current thread's blocks, or its share of the cores if that is less."""
        me, active = threading.get_ident(), list(self._active)
        limits = [request.most for request in active if request.thread == me]
        if not limits:
            return 1
        share = available_cores() // len({request.thread for request in active})
        return max(1, int(min(share, *limits)))

    def keep_one_thread(self) -> None:
        """Forget the blocks of all threads but this one, which is the only one that a forked process has."""
        self._lock = threading.Lock()  # another thread may have held the old one
        self._active = [request for request in self._active if request.thread == threading.get_ident()]


def _set_limit(library: Any, limit: int) -> None:
    """Set the limit of a library from any thread.

    In threadpoolctl 3.8, the first thread that sets a limit of OpenBLAS is the only one that can, until this is
    cleared; calls from other threads do nothing.
    """
    if library.num_threads == limit:
        return
    clear = getattr(library, "clear_controlling_thread", None)
    if clear is None:
        library.set_num_threads(limit)
    else:
        clear(force=True)
        library.set_num_threads(limit)
        clear()


_limits = _Limits()


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
    """Keep the blocks right in a process that `os.fork` makes while several threads are inside blocks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_limits.keep_one_thread)
