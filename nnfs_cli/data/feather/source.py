"""Data sets in Feather files, which hold Arrow as it is in memory (Arrow columnar format, "IPC File Format")."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from nnfs_cli.data.arrow_rows import BATCH_ROWS, ArrowRows, plain_errors
from nnfs_cli.data.arrow_source import ArrowFile
from nnfs_cli.errors import DataError
from nnfs_cli.system.remote.file import Location


class Feather(ArrowFile, name="feather", main="path"):
    """A Feather file (version 2), which is an Arrow IPC file, or several files with the same columns."""

    examples = ("feather: {path: houses.feather, target: price}", "feather: {path: part-*.arrow, target: price}")
    suffixes = (".feather", ".arrow", ".ipc")

    @contextlib.contextmanager
    def _opened(self, path: Location) -> Iterator[ArrowRows]:
        with path.open("rb") as file:
            yield FeatherRows(path.name, file)


class FeatherRows(ArrowRows):
    """The rows of an open Feather file."""

    def __init__(self, name: str, file: Any) -> None:
        self.name, self._file = name, file
        self.schema = self._reader().schema

    def count(self) -> int:
        """Return the number of rows, for which it reads the first column."""
        with plain_errors(self.name, "Feather"):
            return sum(self._batch(i, self.schema.names[:1]).num_rows for i in range(self._reader().num_record_batches))

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield tables with some of the columns."""
        import pyarrow as pa

        for i in range(self._reader().num_record_batches):
            with plain_errors(self.name, "Feather"):
                table = pa.Table.from_batches([self._batch(i, columns)])
            for start in range(0, table.num_rows, BATCH_ROWS):
                yield table.slice(start, BATCH_ROWS)

    def _batch(self, i: int, columns: Sequence[str]) -> Any:
        return self._reader(columns).get_batch(i).select(list(columns))

    def _reader(self, columns: Sequence[str] = ()) -> Any:
        """Return a reader that decompresses these columns, or all. Raises `DataError` unless it is such a file."""
        import pyarrow as pa

        with plain_errors(self.name, "Feather"):
            self._file.seek(0)
            if self._file.read(4) == b"FEA1":
                raise DataError(f"{self.name} is a Feather file of version 1; write it again with version 2")
            self._file.seek(0)
            places = [self.schema.names.index(name) for name in columns] if columns else None
            return pa.ipc.open_file(self._file, options=pa.ipc.IpcReadOptions(included_fields=places))
