"""The rows of several files one after the other, each with the file that it comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.system.remote.file import RemoteFile, location

FILE = "file"  # the column that names the file of a row


@dataclass(frozen=True)
class SeveralFiles:
    """Data sets by the names of their files, which may be of several kinds and have other columns beside those needed.

    It is read as a `DataSource` is, piece by piece; each piece keeps the column `file`.
    """

    sources: Mapping[str, DataSource]

    def names(self) -> tuple[str, ...]:
        """Return the names of the columns that all files have, in the order of the first."""
        first, *others = (source.names() for source in self.sources.values())
        return tuple(name for name in first if all(name in names for names in others))

    def chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str] = (), faults: bool = False) -> Iterator[Table]:
        """Yield the rows of each file, see `DataSource.chunks`."""
        others = [name for name in keep if name != FILE]
        for file, source in self.sources.items():
            for table in source.chunks(kinds, others, faults):
                named = Texts(np.zeros(table.n_rows, np.int32), np.array([file], object))
                yield replace(table, kept={**table.kept, FILE: named})


def all_rows_for(rows: Any, like: DataSource) -> DataSource | SeveralFiles:
    """Return the data set for other rows, see `rows_for`, or for those of a list of paths and URLs."""
    if (
        isinstance(rows, list | tuple)
        and rows
        and all(isinstance(path, str | os.PathLike | RemoteFile) for path in rows)
    ):
        return SeveralFiles({location(path).as_posix(): rows_for(path, like) for path in rows})
    return rows_for(rows, like)
