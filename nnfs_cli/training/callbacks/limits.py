"""Callbacks that end training at a given time or step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from nnfs_cli.training.callbacks.base import Callback, Training


class TimeLimit(Callback):
    """Stop training when the time is up, also within an epoch. A resumed training gets the full time again."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self.reason = f"the time limit of {minutes:g} min is over"

    def on_begin(self, training: Training) -> None:
        """Start the clock."""
        self._end = time.monotonic() + 60 * self.minutes

    def next_stop(self, training: Training) -> float:
        """Look at the clock now and then."""
        return math.inf

    def on_step(self, training: Training) -> None:
        """Stop if the time is up."""
        if time.monotonic() >= self._end:
            training.stop(self.reason)


class AtStep(Callback):
    """Call `action` once `epoch` epochs have ended and `step` steps have been made in total."""

    def __init__(self, epoch: int, step: int, action: Callable[[Training], object]) -> None:
        self.epoch, self.step, self.action = epoch, step, action

    def next_stop(self, training: Training) -> float:
        """Wait for the step."""
        return self.step if self.step > training.progress.step else math.inf

    def on_step(self, training: Training) -> None:
        """Act within an epoch."""
        if training.progress.step == self.step and training.progress.epoch > self.epoch:
            self.action(training)

    def on_epoch(self, training: Training) -> None:
        """Act at the end of an epoch."""
        if training.progress.step == self.step and training.progress.epoch == self.epoch:
            self.action(training)
