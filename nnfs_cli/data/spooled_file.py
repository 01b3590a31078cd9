"""The base class of data sets in files whose format has no types for columns, so that all rows are parsed first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import PrivateAttr

from nnfs_cli.data.arrow_rows import ArrowRows
from nnfs_cli.data.arrow_source import ArrowFile
from nnfs_cli.data.spooled_rows import SpooledRows
from nnfs_cli.system.remote.file import Location


class SpooledFile(ArrowFile):
    """A data set in files that are parsed once; their spooled rows are kept as long as the files are unchanged."""

    _spooled: dict[Location, tuple[tuple[int, int], SpooledRows]] = PrivateAttr(default_factory=dict)

    def at(self, path: Location) -> Self:
        """Return a data set with the same settings for another file."""
        moved = super().at(path)
        moved._spooled = {}
        return moved

    @contextlib.contextmanager
    def _opened(self, path: Location) -> Iterator[ArrowRows]:
        about = path.stat()
        stamp = (about.st_size, about.st_mtime_ns)
        known, rows = self._spooled.get(path, (None, None))
        if rows is None or known != stamp:
            rows = SpooledRows(path.name)
            for table, faults in self._tables(path):
                rows.add(table, faults)
            self._spooled[path] = stamp, rows.complete()
        yield rows

    def _tables(self, path: Location) -> Iterator[tuple[Any, Mapping[int, str]]]:
        """Yield the rows of a file as tables of Arrow, with the rows of each that cannot be read, and why.

        Raises `DataError` if the file cannot be parsed.
        """
        raise NotImplementedError
