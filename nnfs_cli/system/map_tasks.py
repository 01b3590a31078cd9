"""Apply a pure function to each of some values, on all cores: the one place that spreads tasks over processes.

This process works, too. Others start only when the work turns out to take long enough. Nothing that is computed
depends on where it is computed, so the number of processes and the moment when they start are free.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from nnfs_cli.errors import NnfsWarning
from nnfs_cli.system.answer import Answer
from nnfs_cli.system.warn import warn

if TYPE_CHECKING:
    from nnfs_cli.system.messages import Parts
    from nnfs_cli.system.worker import Worker

Item = TypeVar("Item")
Result = TypeVar("Result")

START = 0.6  # seconds of a core that it takes to start a worker, with its imports

_shown: dict[str | tuple[str, type[Warning], int], int] = {}  # the registry of warnings that have come from workers


def map_tasks(task: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """Yield the result of the task for each item, in order, computed by up to `workers` processes.

    The task is a function of a module, or `functools.partial` of one with the values that all items share: these are
    sent to each process once. It must depend on nothing else, and limits its own threads.

    Everything stays in this process if others would not pay, if the task cannot be sent, or if this is a worker itself.
    An error is raised when its item would have been yielded, and the warnings of other processes are given then. A
    task that fails elsewhere runs again here, so that its error is whole. Raises `ChildProcessError` if a process is
    killed.
    """
    tasks = _Tasks(task, items, workers)
    try:
        for i in range(len(items)):
            yield tasks.result(i)
    finally:
        tasks.stop()


class _Tasks(Generic[Item, Result]):
    """The tasks that nobody has taken yet, the outcomes of others, and the workers."""

    def __init__(self, task: Callable[[Item], Result], items: Sequence[Item], workers: int) -> None:
        self._task, self._items = task, items
        self._changed = threading.Condition()  # guards what follows
        self._taken = 0  # the number of tasks that somebody has taken
        self._outcomes: dict[int, Answer | Exception] = {}
        self._seconds: float | None = None  # that the first task took
        self._workers: list[Worker] = []
        self._stopped = False
        self._threads: list[threading.Thread] = []
        if min(workers, len(items)) > 1:
            self._in_thread(self._start_workers, workers - 1)

    def result(self, i: int) -> Result:
        """Return the result of a task; as long as it is not there, work on tasks that nobody has taken."""
        while (outcome := self._outcome(i)) is None:
            if (j := self._take()) is not None:
                self._put(j, self._run_here(j))
        if isinstance(outcome, Exception):
            raise outcome
        for text, category, file, line in outcome.warnings:
            if issubclass(category, NnfsWarning):
                warn(text)
            else:
                warnings.warn_explicit(text, category, file, line, registry=_shown)
        return self._task(self._items[i]) if outcome.failed else outcome.result

    def stop(self) -> None:
        """End all workers, whatever they are doing."""
        with self._changed:
            self._stopped = True
            for worker in self._workers:
                worker.kill()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _outcome(self, i: int) -> Answer | Exception | None:
        """Return an outcome, or None if it is not there; if there is nothing else to do, wait for it."""
        with self._changed:
            if i not in self._outcomes and self._taken == len(self._items):
                self._changed.wait(1)  # not for ever, since Ctrl-C would have to wait, too, on Windows
            return self._outcomes.pop(i, None)

    def _take(self) -> int | None:
        """Return the next task that nobody has taken, if there is one."""
        with self._changed:
            if self._stopped or self._taken == len(self._items):
                return None
            self._taken += 1
            return self._taken - 1

    def _put(self, i: int, outcome: Answer | Exception) -> None:
        with self._changed:
            self._outcomes[i] = outcome
            self._changed.notify_all()

    def _run_here(self, i: int) -> Answer | Exception:
        start = time.perf_counter()
        try:
            return Answer(result=self._task(self._items[i]))
        except Exception as error:
            return error  # it is raised when those before it have been yielded
        finally:
            self._seconds = self._seconds or time.perf_counter() - start

    def _start_workers(self, most: int) -> None:
        """Start up to `most` workers once it is clear that they are worth it."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._seconds is not None, START)
            left = len(self._items) - self._taken
            if self._stopped or (self._seconds is not None and left * self._seconds < 2 * START):
                return
        from nnfs_cli.system.messages import packed
        from nnfs_cli.system.worker import can_start_workers

        if not can_start_workers():
            return
        try:
            task = packed(self._task)
        except Exception:  # something in it has no pickle
            return
        for _ in range(min(most, left)):
            self._in_thread(self._feed, task)

    def _feed(self, task: Parts) -> None:
        """Start a worker, and have it run tasks until there are none left. Without a worker, all is done here."""
        from nnfs_cli.system.worker import Worker

        try:
            worker = Worker()
        except OSError:
            return
        try:
            with self._changed:
                if self._stopped:
                    return
                self._workers.append(worker)
            ready = worker.prepare(task)
            while ready and (i := self._take()) is not None:
                try:
                    self._put(i, worker.call(self._items[i]))
                except Exception as error:  # such as an item or a result that has no pickle
                    self._put(i, error if isinstance(error, ChildProcessError) else Answer(failed=True))
                    return
        finally:
            worker.close()

    def _in_thread(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
