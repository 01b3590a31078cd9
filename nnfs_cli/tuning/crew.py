"""The workers of a search: processes that train one trial after another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from nnfs_cli.system.messages import packed
from nnfs_cli.system.worker import Worker, can_start_workers
from nnfs_cli.tuning.trial import Log, Outcome, Shared, Task, train_trial

MOST_DEATHS = 10  # of processes, until a trial counts as failed
LOOK = 0.2  # seconds between looks at the clock


class Trials(Protocol):
    """Where trials come from and where they go."""

    def take(self) -> Task | None:
        """Return the next trial; None if there is none left."""

    def prunes(self, log: Log) -> bool:
        """Return whether a trial is to stop."""

    def record(self, number: int, outcome: Outcome) -> None:
        """Record the outcome of a trial."""

    @property
    def any_finished(self) -> bool:
        """Whether a trial has finished."""


class Done(NamedTuple):
    """A trial that has ended."""

    number: int
    outcome: Outcome


Report = Callable[[Done], object]


def run_trials(trials: Trials, shared: Shared, workers: int, until: float | None, report: Report) -> None:
    """Train trials until there are none left, or until a moment (of `time.monotonic`), but at least one.

    Trials that are being trained then are broken off, and are trained again if the search goes on. With `workers` of 0,
    or where no process can be started, trials are trained in this process. An interruption ends the workers at once.
    """
    if not workers or not can_start_workers():
        _run_here(trials, shared, until, report)
        return
    crew = _Crew(trials, shared, workers)
    try:
        while not crew.wait():
            for done in crew.ended():
                report(done)
            if until is not None and time.monotonic() >= until and trials.any_finished:
                break
    finally:
        crew.stop()
    for done in crew.ended():
        report(done)
    if crew.error is not None:
        raise crew.error


def _run_here(trials: Trials, shared: Shared, until: float | None, report: Report) -> None:
    while until is None or time.monotonic() < until or not trials.any_finished:
        task = trials.take()
        if task is None:
            return
        outcome = train_trial(shared, task, trials.prunes)
        trials.record(task.number, outcome)
        report(Done(task.number, outcome))


class _Crew:
    """Threads that each feed a worker."""

    def __init__(self, trials: Trials, shared: Shared, workers: int) -> None:
        self._trials, self._shared = trials, shared
        self._task = packed(partial(train_trial, shared))
        self._changed = threading.Condition()  # guards what follows
        self._stopped = False
        self._workers: set[Worker] = set()
        self._ended: list[Done] = []
        self.error: BaseException | None = None
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> bool:
        """Wait a moment for a trial to end; return whether all is done, or something has failed."""
        with self._changed:
            if not self._ended and self.error is None:
                self._changed.wait(LOOK)
            return self.error is not None or not any(thread.is_alive() for thread in self._threads)

    def ended(self) -> list[Done]:
        """Return the trials that have ended since the last call."""
        with self._changed:
            ended, self._ended = self._ended, []
            return ended

    def stop(self) -> None:
        """End all workers, whatever they are doing, and wait for the threads."""
        with self._changed:
            self._stopped = True
            for worker in self._workers:
                worker.kill()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        worker: Worker | None = None
        try:
            while not self._stopped and (task := self._trials.take()) is not None:
                worker, outcome = self._train(worker, task)
                if outcome is None:
                    return
                self._trials.record(task.number, outcome)
                with self._changed:
                    self._ended.append(Done(task.number, outcome))
                    self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                self.error = self.error or error
                self._changed.notify_all()
        finally:
            if worker is not None:
                self._close(worker)

    def _train(self, worker: Worker | None, task: Task) -> tuple[Worker | None, Outcome | None]:
        """Train a trial, again if its process is killed; the outcome is None if the search has stopped."""
        death = ""
        for _ in range(MOST_DEATHS):
            try:
                worker = worker or self._start()
                answer = worker.call(task, self._trials.prunes)
            except ChildProcessError as error:
                if worker is not None:
                    self._close(worker)
                worker, death = None, str(error)
                if self._stopped:
                    return None, None
                continue
            if answer.failed:
                return worker, train_trial(self._shared, task, self._trials.prunes)  # the error is whole here
            return worker, answer.result
        return None, Outcome("failed", (), f"{death}, {MOST_DEATHS} times")

    def _start(self) -> Worker:
        """Start a worker that is ready. Raises `ChildProcessError` if it does not get that far."""
        worker = Worker()
        with self._changed:
            self._workers.add(worker)
            if self._stopped:
                worker.kill()
        if not worker.prepare(self._task):
            self._close(worker)
            raise ChildProcessError("a worker process could not start")
        return worker

    def _close(self, worker: Worker) -> None:
        with self._changed:
            self._workers.discard(worker)
        worker.close()
