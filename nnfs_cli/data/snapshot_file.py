"""The base class of data sets in files whose format has no types for columns, and which are read through snapshots."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Self

from pydantic import PrivateAttr

from nnfs_cli.data.arrow_rows import ArrowRows
from nnfs_cli.data.arrow_source import ArrowFile
from nnfs_cli.data.snapshot import Snapshot
from nnfs_cli.system.remote.file import Location


class SnapshotFile(ArrowFile):
    """A data set in files that are parsed once, into snapshots that are kept as long as the files are unchanged."""

    _snapshots: dict[Location, tuple[tuple[int, int], Snapshot]] = PrivateAttr(default_factory=dict)

    def at(self, path: Location) -> Self:
        """Return a data set with the same settings for another file."""
        moved = super().at(path)
        moved._snapshots = {}
        return moved

    @contextlib.contextmanager
    def _opened(self, path: Location) -> Iterator[ArrowRows]:
        about = path.stat()
        stamp = (about.st_size, about.st_mtime_ns)
        known, snapshot = self._snapshots.get(path, (None, None))
        if snapshot is None or known != stamp:
            snapshot = Snapshot(path.name)
            for table in self._tables(path):
                snapshot.add(table)
            self._snapshots[path] = stamp, snapshot.complete()
        yield snapshot

    def _tables(self, path: Location) -> Iterator[Any]:
        """Yield the rows of a file as tables of Arrow. Raises `DataError` if it cannot be parsed."""
        raise NotImplementedError
