"""`epochs.csv`: one row for each logged epoch. It is the only file of a run that grows while a run is trained."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Mapping
from io import BufferedRandom
from typing import BinaryIO

from nnfs_cli.errors import RunError
from nnfs_cli.runs.checked_files import CheckedFiles
from nnfs_cli.system.csv_text import csv_text, parse_csv
from nnfs_cli.system.files import attach_path, sync_folder

NAME = "epochs.csv"
MOST_LINE = 1 << 16  # bytes of a line, of which each figure takes about twenty


class EpochLog:
    """The epoch log of a run directory. Methods raise `RunError` if it is damaged."""

    def __init__(self, files: CheckedFiles) -> None:
        self._files, self._path = files, files.path / NAME
        self._file: BufferedRandom | None = None

    def append(self, row: Mapping[str, float]) -> None:
        """Add a row. The first row also writes the header, which every other row has to match."""
        with attach_path(self._path):
            if self._file is None:
                path = self._files.locate(NAME)
                self._file = path.open("w+b")
                sync_folder(path.parent)  # the next state relies on the log, so the log must survive a power loss
            if not self._file.tell():
                self._file.write(csv_text([list(row)]).encode())
            line = ",".join(map(repr, row.values()))  # repr: reads back as the same number
            self._file.write(f"{line}\n".encode())

    def flush(self) -> None:
        """Let other processes read the rows so far."""
        if self._file:
            with attach_path(self._path):
                self._file.flush()

    def sync(self) -> int:
        """Flush the rows so far to the disk, and return how many bytes they take."""
        if self._file is None:
            return 0
        with attach_path(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            return self._file.tell()

    def close(self) -> None:
        """Flush all rows to the disk and close the file, if it is open."""
        if self._file is not None:
            with attach_path(self._path), contextlib.closing(self._file):
                self.sync()
            self._file = None

    def require(self, size: int) -> None:
        """Raise `RunError` unless the log has at least `size` bytes and the recorded digest."""
        path = self._files.locate(NAME)
        if path.exists():
            self._files.open(NAME).close()
        if not 0 <= size <= (path.stat().st_size if path.exists() else 0):
            raise RunError(f"{self._files.path} is damaged: its epochs.csv is shorter than its state.npz requires")

    def cut(self, size: int) -> None:
        """Keep the first `size` bytes, in a new file, and append from there on."""
        path = self._files.locate(NAME)
        with attach_path(path):
            kept = path.read_bytes()[:size] if path.exists() else b""
            self._files.write(NAME, kept)
            self._file = path.open("r+b")
            self._file.seek(len(kept))

    @property
    def size(self) -> int:
        """The size of the file in bytes; 0 if there is none."""
        path = self._files.locate(NAME)
        return path.stat().st_size if path.exists() else 0

    def last(self, end: int | None = None) -> dict[str, float] | None:
        """Return the last complete row; None if there is none. It is quick, because no other row and no digest is read.

        Nothing from the byte `end` on is read.

        Raises `RunError` if the row is damaged.
        """
        path = self._files.locate(NAME)
        if not path.exists():
            return None
        with path.open("rb") as file, attach_path(path):
            first = _header(file)
            end = os.fstat(file.fileno()).st_size if end is None else end
            start = file.seek(max(len(first), end - 2 * MOST_LINE))
            lines = file.read(max(0, end - start)).partition(b"\0")[0].split(b"\n")[:-1]
        rows = self._parsed(first + lines[-1] + b"\n") if lines else []
        return rows[-1] if rows else None

    def rows_from(self, start: int, end: int | None = None) -> tuple[list[dict[str, float]], int]:
        """Return some complete rows from the byte `start` on, and the byte after them; 0 is before the first.

        Nothing from the byte `end` on is read, and no digest. Raises `RunError` if a row is damaged.
        """
        path = self._files.locate(NAME)
        if not path.exists():
            return [], start
        with path.open("rb") as file, attach_path(path):
            header = _header(file)
            start = max(start, len(header))
            file.seek(start)
            size = 4 * MOST_LINE if end is None else min(4 * MOST_LINE, end - start)
            content = file.read(max(0, size)).partition(b"\0")[0]
        whole = content[: content.rfind(b"\n") + 1]
        return (self._parsed(header + whole), start + len(whole)) if whole else ([], start)

    def rows(self) -> list[dict[str, float]]:
        """Return the rows that are complete. After a power loss zero bytes may follow them."""
        if not self._files.locate(NAME).exists():
            return []
        return self._parsed(self._files.read(NAME).partition(b"\0")[0])

    def _parsed(self, content: bytes) -> list[dict[str, float]]:
        try:
            header, *rows = parse_csv(content[: content.rfind(b"\n") + 1]) or [["epoch", "step"]]
            if not {"epoch", "step"} <= set(header):
                raise ValueError
            return [dict(zip(header, map(float, row), strict=True)) for row in rows]
        except (ValueError, csv.Error):
            raise RunError(f"{self._files.path} is damaged: its epochs.csv is not a table of numbers") from None


def _header(file: BinaryIO) -> bytes:
    """Read the header, in which the label of a class may hold line breaks within quotes."""
    header = b""
    while line := file.readline(MOST_LINE - len(header)):
        header += line
        if not header.count(b'"') % 2:
            break
    return header
