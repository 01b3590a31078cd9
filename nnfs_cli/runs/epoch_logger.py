"""The callback that writes the epoch log of a run while a net is trained."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.runs.epoch_log import EpochLog
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow, State


class EpochLogger(Callback):
    """Write a row of the epoch log for each logged epoch, and let other programs read them twice a second."""

    key: ClassVar[str] = "log"

    def __init__(self, log: EpochLog) -> None:
        self.log = log
        self._flushed = 0.0
        self._length: int | None = None  # bytes of the log that a resumed training continues after

    def state(self) -> State:
        """Flush the log to the disk, and return its length in bytes."""
        return {"bytes": np.array(self.log.sync(), np.int64)}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Require that the log has at least the saved length. Raises `RunError`."""
        self._length = int(state["bytes"])
        self.log.require(self._length)

    def on_begin(self, training: Training) -> None:
        """Remove the rows that were logged after the saved state."""
        if self._length is not None:
            self.log.cut(self._length)

    def on_log(self, training: Training, row: LogRow) -> None:
        """Write a row."""
        self.log.append(row)
        if time.monotonic() - self._flushed > 0.5:
            self.log.flush()
            self._flushed = time.monotonic()

    def on_end(self, training: Training) -> None:
        """Close the log."""
        self.log.close()
