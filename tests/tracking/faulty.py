"""Trackers that fail in every way. They have no names of their own, so that no config can name them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from nnfs_cli.tracking.base import Ending, Row, TrackedRun
from nnfs_cli.tracking.csv import CsvTracker, CsvWriter


class Faulty(CsvTracker):
    """A tracker that fails in the way that its file is called."""

    def open(self, run: TrackedRun) -> CsvWriter:
        """Fail, or return a writer that will."""
        way = Path(str(self.file)).stem
        if way == "open":
            raise ValueError("cannot\nopen http://ann:sesame@host/")
        if way == "exit":
            raise SystemExit(3)
        if way == "die":
            os._exit(3)
        if way == "hang":
            time.sleep(600)
        return FaultyWriter(self._at(run.path), run)


class FaultyWriter(CsvWriter):
    """A writer that fails in the way that its file is called."""

    def write(self, rows: Sequence[Row]) -> None:
        """Fail on every row, or on the third."""
        if self._path.stem == "write" or (self._path.stem == "once" and not self._path.with_suffix(".seen").exists()):
            self._path.with_suffix(".seen").touch()
            raise OSError(28, "No space left on device", "x")
        super().write(rows)

    def finish(self, ending: Ending) -> None:
        """Fail at the end."""
        if self._path.stem == "finish":
            raise MemoryError
