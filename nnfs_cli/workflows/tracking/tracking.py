"""Follow a run for its trackers, each in a process of its own, while the run is trained."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence

from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.messages import packed
from nnfs_cli.system.warn import warn
from nnfs_cli.system.worker import Worker
from nnfs_cli.tracking.base import Tracker
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow
from nnfs_cli.workflows.tracking.follower import Follower, Progress

PAUSE = 1.0  # seconds from one look at the run to the next
PATIENCE = 120.0  # seconds in which a tracker has to answer when the training has ended
PATIENCE_OF_USER = 10.0  # likewise, when the user has interrupted it


class Tracking(Callback):
    """A callback that has the trackers follow a run, within a `with` block around the whole training.

    At the end of the block, trackers get what they do not have yet. Whatever is wrong with one becomes one warning.
    """

    def __init__(self, run: RunDirectory, trackers: Sequence[Tracker]) -> None:
        self._followed = [_Followed(run, tracker) for tracker in trackers]

    def on_begin(self, training: Training) -> None:
        """Begin to follow the run, whose log is as it will be continued."""
        for followed in self._followed:
            followed.start()

    def on_log(self, training: Training, row: LogRow) -> None:
        """Warn of problems; nothing else is done here, since trackers read the log of the run."""
        self._warn()

    def __enter__(self) -> None:
        """Do nothing: the training begins later."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let the trackers pass on the rest, as long as they answer in time."""
        patience = PATIENCE_OF_USER if kind is not None and issubclass(kind, KeyboardInterrupt) else PATIENCE
        try:
            for followed in self._followed:
                followed.end()
            for followed in self._followed:
                followed.wait(patience)
        finally:
            for followed in self._followed:
                followed.kill()
            self._warn()

    def _warn(self) -> None:
        for followed in self._followed:
            followed.warn_once()


class _Followed:
    """A run that is followed for one tracker: a process that reads it, and a thread that asks the process to."""

    def __init__(self, run: RunDirectory, tracker: Tracker) -> None:
        self._run, self._tracker = run, tracker
        self._thread = threading.Thread(target=self._follow, name=f"nnfs-{tracker.name}", daemon=True)
        self._worker: Worker | None = None
        self._ended = threading.Event()
        self._answered = 0.0  # time of the last answer
        self._problem = ""
        self._warned = False

    def start(self) -> None:
        """Begin to follow the run."""
        self._thread.start()

    def end(self) -> None:
        """Say that the training has ended."""
        self._answered = time.monotonic()
        self._ended.set()

    def wait(self, patience: float) -> None:
        """Wait until the tracker has got everything, or has given no answer for `patience` seconds."""
        while self._thread.is_alive():
            self._thread.join(0.1)
            if time.monotonic() > self._answered + patience:
                self._problem = self._problem or f"no answer in {patience:g} seconds"
                return

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        if self._worker is not None:
            self._worker.kill()

    def warn_once(self) -> None:
        """Warn of the first problem."""
        if self._problem and not self._warned:
            self._warned = True
            warn(f"{self._tracker.name} does not get everything of {self._run.path.as_posix()}: {self._problem}")

    def _follow(self) -> None:
        try:
            with self._started_worker() as worker:
                self._ask_until_done(worker)
        except Exception as error:  # such as a process that cannot be started, or was killed
            self._problem = self._problem or str(error)

    @contextlib.contextmanager
    def _started_worker(self) -> Iterator[Worker]:
        self._worker = worker = Worker()
        try:
            if not worker.prepare(packed(Follower(self._run.path, self._tracker))):
                raise ChildProcessError("its process did not start")
            yield worker
        finally:
            worker.close()

    def _ask_until_done(self, worker: Worker) -> None:
        done = False
        while not done:
            ended = self._ended.is_set()
            answer = worker.call(ended)
            if answer.failed:
                raise ChildProcessError("its process has failed")
            progress: Progress = answer.result
            self._answered = time.monotonic()
            self._problem = self._problem or progress.problem
            done = ended and not progress.behind
            if not (ended or progress.behind):
                self._ended.wait(PAUSE)
