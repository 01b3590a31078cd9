"""Columns as Parquet, written by pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from nnfs_cli.data.writers import Writer, to_arrow
from nnfs_cli.errors import DataError

ROWS = 1 << 17  # of a row group, unless a block is larger


class ParquetWriter(Writer):
    """Writes Parquet. The types of the columns are those of the first block; every text stays as it is."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._writer: Any = None
        self._waiting: list[Any] = []

    def write(self, columns: Mapping[str, Any]) -> None:
        """Write the next rows, as soon as there are enough for a row group."""
        import pyarrow as pa
        from pyarrow import parquet

        table = to_arrow(columns)
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self.file, table.schema)
        try:
            self._waiting.append(table.cast(self._writer.schema))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(f"a column is of another type than before: {str(error).splitlines()[0]}") from None
        if sum(part.num_rows for part in self._waiting) >= ROWS:
            self._write_group()

    def close(self) -> None:
        """Write the last rows and the description of the file."""
        if self._writer is not None:
            self._write_group()
            self._writer.close()

    def _write_group(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting = []
