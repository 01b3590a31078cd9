"""The base class of the writers, which write a table to a file, block by block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, Self


class TableWriter:
    """A writer of tables to an open file. As a context manager it closes itself unless an error occurred.

    Blocks of rows are named columns, each an array of NumPy or Arrow or `Texts`. All blocks have the same names.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()

    def write(self, columns: Mapping[str, Any]) -> None:
        """Write the next rows. NaN and NaT are empty cells."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what follows the last row; the file itself stays open."""
