"""Runs for trackers: their description, and some epochs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from nnfs_cli.tracking.base import Columns, Ending, Row, TrackedRun, Tracker

ROWS = [
    {"epoch": 1, "step": 15, "seconds": 0.25, "lr": 0.1, "train_loss": 1 / 3, "val_loss": 0.1, "val_accuracy": 2 / 3},
    {"epoch": 2, "step": 30, "seconds": 0.5, "lr": 0.1, "train_loss": 1e-300, "val_loss": 0.3, "val_accuracy": 1.0},
    {"epoch": 4, "step": 60, "seconds": 1e5, "lr": 1e-9, "train_loss": 5.0, "val_loss": 1e300, "val_accuracy": 0.0},
]


def tracked(path: Path, *, begun: float = 1.8e9, epoch: int = 0, spec: str = "epochs: 4\n") -> TrackedRun:
    """A run that began at this time."""
    return TrackedRun(path, datetime.fromtimestamp(begun, UTC), epoch, spec, {"epochs": "4"})


def no_columns(folder: Path) -> Columns:
    """The columns of a net without any."""
    return Columns([], [])


def passed_on(tracker: Tracker, run: TrackedRun, *parts: Sequence[Row], ending: Ending | None = None) -> None:
    """Pass on rows in parts, and then perhaps the end of the training."""
    with contextlib.closing(tracker.open(run)) as writer:
        for rows in parts:
            writer.write(rows)
        if ending is not None:
            writer.finish(ending)
