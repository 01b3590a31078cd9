"""A CSV file to which many runs add their epochs, so that one table compares them."""

from __future__ import annotations

import contextlib
import csv
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from io import FileIO
from pathlib import Path

from pydantic import Field

from nnfs_cli.components.field_types import OutputPath
from nnfs_cli.errors import UserError
from nnfs_cli.system.csv_text import csv_text
from nnfs_cli.system.files import attach_path, make_folder, write_atomically
from nnfs_cli.system.lock import Lock
from nnfs_cli.tracking.base import Ending, Row, TrackedRun, Tracker

HEADER = ("run", "epoch", "figure", "value")
BESIDE_RUN = "tracked.csv"
PATIENCE = 10.0  # seconds to wait for another process that writes


class CsvTracker(Tracker, name="csv", main="file"):
    """One CSV file for the epochs of many runs, with a line for each figure: `run,epoch,figure,value`.

    Several processes may write to it at once. The run is named by its path, relative to the folder of the file.
    """

    examples = ("csv: runs/all.csv",)

    file: OutputPath | None = Field(default=None, kw_only=False)
    """Path of the file, relative to the folder of the config. By default `tracked.csv` in the folder of the runs."""

    def open(self, run: TrackedRun) -> CsvWriter:
        """Take the run out of the file. Raises `UserError` if it is some other file."""
        return CsvWriter(self._at(run.path), run)

    def place(self, run: Path) -> str:
        """Return the path of the file."""
        return self._at(run).as_posix()

    def _at(self, run: Path) -> Path:
        return self.file or run.parent / BESIDE_RUN


class CsvWriter:
    """Adds the epochs of one run to the file."""

    def __init__(self, path: Path, run: TrackedRun) -> None:
        make_folder(path.parent)
        path = Path(os.path.realpath(path))
        self._path, self._run = path, Path(os.path.relpath(run.path, path.parent)).as_posix()
        with self._locked():
            if not path.exists() or not path.stat().st_size:
                write_atomically(path, lambda file: file.write(_bytes([HEADER])))
            elif self._has_run():
                write_atomically(path, lambda file: file.write(_bytes(self._other_rows())))

    def write(self, rows: Sequence[Row]) -> None:
        """Add a line for each figure. If the disk is full, none is added."""
        lines = [
            (self._run, int(row["epoch"]), figure, repr(value).removesuffix(".0"))
            for row in rows
            for figure, value in row.items()
            if figure != "epoch"
        ]
        with self._locked(), attach_path(self._path), self._path.open("r+b", buffering=0) as file:
            end = self._end(file)
            left = memoryview(_bytes(lines))
            try:
                while left:
                    left = left[file.write(left) :]
            except OSError:
                file.truncate(end)
                raise

    def finish(self, ending: Ending) -> None:
        """Do nothing: the file is about epochs."""

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _end(self, file: FileIO) -> int:
        """Move to the end of the last whole line: a process that was killed may have left a part of one."""
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - (1 << 20)))
        tail = file.read()
        end = size - len(tail) + tail.rfind(b"\n") + 1
        file.truncate(end)
        return file.seek(end)

    def _has_run(self) -> bool:
        """Return whether the file has lines of the run. Raises `UserError` if another program wrote it."""
        return any(run == self._run for run, *_ in self._rows())

    def _other_rows(self) -> Iterator[Sequence[str]]:
        yield HEADER
        yield from (row for row in self._rows() if row[0] != self._run)

    def _rows(self) -> Iterator[list[str]]:
        """Yield the rows below the header; a broken line at the end is left out."""
        with self._path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            if tuple(next(rows, ())) != HEADER:
                raise UserError(f"{self._path} is another file: its first line is not {','.join(HEADER)}")
            yield from (row for row in rows if len(row) == len(HEADER))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only process that writes to the file. Raises `BlockingIOError` if another one does not let go."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                lock = Lock(self._path.with_name(f"{self._path.name}.lock"), str(self._path))
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        try:
            yield
        finally:
            lock.release()


def _bytes(rows: Iterable[Sequence[object]]) -> bytes:
    return csv_text(rows).encode()
