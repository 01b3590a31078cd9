"""Threads that help with a large piece of work, and sleep in between."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from itertools import repeat, starmap
from queue import Empty, SimpleQueue

Job = Callable[[], object]


def do_together(jobs: Sequence[Job]) -> None:
    """Do all jobs, one of them in each thread. The current thread also does jobs that no other thread has begun.

    The jobs must not depend on each other, and must call code that leaves the interpreter to other threads. An error in
    a job is raised here when all have ended.
    """
    _helpers.do(jobs)


class _Helpers:
    """Sleeping threads, as many as were ever needed at once, and the queue that they take jobs from."""

    def __init__(self) -> None:
        self._prepared = False
        self._forget()

    def _forget(self) -> None:
        """Begin without helpers, as in a process that was forked."""
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[tuple[Job, SimpleQueue[BaseException | None]]] = SimpleQueue()
        self._started = 0

    def do(self, jobs: Sequence[Job]) -> None:
        """Do all jobs."""
        first, *others = jobs
        if len(others) > self._started:
            self._start(len(others))
        done: SimpleQueue[BaseException | None] = SimpleQueue()
        for job in others:
            self._waiting.put((job, done))
        errors: list[BaseException | None] = []
        try:
            try:
                first()
            finally:
                with contextlib.suppress(Empty):
                    while True:
                        self._do(*self._waiting.get_nowait())
                self._collect(done, errors, len(others))
        finally:
            self._collect(done, errors, len(others))  # an interruption, too, waits for the threads that are at work
        if error := next(filter(None, errors), None):
            raise error

    @staticmethod
    def _collect(done: SimpleQueue[BaseException | None], errors: list[BaseException | None], n: int) -> None:
        """Wait until there are n results. An interruption loses none: nothing runs in Python between two of them."""
        errors.extend(starmap(done.get, repeat((), n - len(errors))))

    def _start(self, n: int) -> None:
        with self._lock:
            if not self._prepared and hasattr(os, "register_at_fork"):
                self._prepared = True
                os.register_at_fork(after_in_child=self._forget)
            for i in range(self._started, n):
                threading.Thread(target=self._help, name=f"nnfs-helper-{i + 1}", daemon=True).start()
            self._started = max(self._started, n)

    def _help(self) -> None:
        """Do whatever job comes, for ever."""
        import numpy as np

        waiting = self._waiting
        with np.errstate(all="ignore"):  # whoever asks for a product looks at the result
            while True:
                self._do(*waiting.get())

    @staticmethod
    def _do(job: Job, done: SimpleQueue[BaseException | None]) -> None:
        try:
            job()
        except BaseException as error:
            done.put(error)
        else:
            done.put(None)


_helpers = _Helpers()
