"""Early ends of training: a callback stops it, or Ctrl-C or SIGTERM interrupts it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

from nnfs_cli.errors import Terminated
from nnfs_cli.training.callbacks.base import Callback, Training

Result = TypeVar("Result")


class Ending:
    """Whether training ends early, and why.

    The loops check `requested` and end training after the current step. With `at_once`, an interruption is raised where
    it arrives, because nothing is lost: no step is half done, or there is no state to resume from.
    """

    def __init__(self, at_once: bool) -> None:
        self.at_once = at_once
        self.stopped = ""  # the reason, if a callback has stopped training
        self.interruption: BaseException | None = None
        self.requested = False  # whether training ends after the current step
        self.aborting = False  # whether training ends at once, because of a second interruption

    def stop(self, reason: str) -> None:
        """End training after the current step; only the first reason counts."""
        self.stopped = self.stopped or reason
        self.requested = True

    def interrupt(self, interruption: BaseException) -> None:
        """End training after the current step; raise at once if nothing is lost by it, or for the second time."""
        self.aborting = self.interruption is not None
        self.interruption, self.requested = interruption, True
        if self.aborting or self.at_once:
            raise interruption

    def attempt(self, evaluate: Callable[[], Result], resumable: bool) -> Result | None:
        """Return what `evaluate` returns, or None if it was interrupted and training can end properly."""
        at_once, self.at_once = self.at_once, True
        try:
            return evaluate()
        except KeyboardInterrupt as interruption:
            if self.aborting or not resumable:
                raise
            self.interruption, self.requested = interruption, True
            return None
        finally:
            self.at_once = at_once


class Interruptions(Callback):
    """Let Ctrl-C and SIGTERM end training after the current step; a second signal ends it at once.

    Signals reach the main thread only. A training in another thread is left alone.
    """

    def on_begin(self, training: Training) -> None:
        """Install the signal handlers."""
        self._handlers: dict[int, Any] = {}
        if threading.current_thread() is not threading.main_thread():
            return

        def handle(number: int, frame: FrameType | None) -> None:
            training.interrupt(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())

        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, handle)

    def on_end(self, training: Training) -> None:
        """Restore the signal handlers from before."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
