"""Data sets in Parquet files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nnfs_cli.data.arrow_rows import BATCH_ROWS, ArrowRows, plain_errors
from nnfs_cli.data.arrow_source import ArrowFile
from nnfs_cli.data.arrow_table import excerpt
from nnfs_cli.errors import DataError
from nnfs_cli.system.remote.file import Location

BUFFER = 1 << 20  # bytes of each column that pyarrow buffers


class Parquet(ArrowFile, name="parquet", main="path"):
    """A Parquet file, whose columns carry names and types, or several files with the same columns.

    In a folder of Hive partitions, such as year=2026, the names of the folders are columns, too.
    """

    examples = (
        "parquet: {path: houses.parquet, target: price}",
        "parquet: {path: part-*.parquet, target: price}",
        "parquet: {path: sales/, target: price}",
    )
    suffixes = (".parquet", ".pq")

    @contextlib.contextmanager
    def _opened(self, path: Location) -> Iterator[ArrowRows]:
        with _opened(path) as file:
            yield ParquetRows(path.name, file)


class ParquetRows(ArrowRows):
    """The rows of an open Parquet file."""

    def __init__(self, name: str, file: Any) -> None:
        self.name, self.schema, self._file = name, file.schema_arrow, file

    def count(self) -> int:
        """Return the number of rows."""
        return int(self._file.metadata.num_rows)

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield tables with some of the columns, one row group after another: pyarrow keeps all that one call reads."""
        import pyarrow as pa

        for group in range(self._file.num_row_groups):
            batches = self._file.iter_batches(BATCH_ROWS, row_groups=[group], columns=columns)
            while True:
                with plain_errors(self.name, "Parquet"):
                    batch = next(batches, None)
                if batch is None:
                    break
                yield pa.Table.from_batches([batch])

    def whole(self, columns: Sequence[str]) -> Any:
        """Return all rows as one table."""
        with plain_errors(self.name, "Parquet"):
            return self._file.read(columns=columns)


@contextlib.contextmanager
def _opened(path: Location) -> Iterator[Any]:
    from pyarrow import parquet

    if path.is_dir():
        raise IsADirectoryError
    try:
        with plain_errors(path.name, "Parquet"):
            # One file is one table: ParquetFile, unlike read_table, does not take folders around it for partitions.
            source = path if isinstance(path, Path) else path.open()
            file = parquet.ParquetFile(source, buffer_size=BUFFER)
    except UnicodeDecodeError as error:
        found = excerpt(error.object)
        raise DataError(f"{path.name}: the name of a column is not UTF-8, found {found}; rename the column") from None
    with file:
        yield file
