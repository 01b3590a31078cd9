"""Write tables as Parquet files with pyarrow."""

from __future__ import annotations

import contextlib
from typing import Any, BinaryIO

from nnfs_cli.data.arrow_writer import ArrowWriter

GROUP_ROWS = 1 << 17  # rows of a row group, unless a block is larger


class ParquetWriter(ArrowWriter):
    """A writer of Parquet files, which collects blocks until there are enough rows for a row group."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._writer: Any = None
        self._waiting: list[Any] = []

    def __exit__(self, kind: object, *more: object) -> None:
        super().__exit__(kind, *more)
        if kind is not None and self._writer is not None:  # else it would close itself later, without its file
            with contextlib.suppress(Exception):
                self._writer.close()
            self._writer.is_open = False

    def close(self) -> None:
        """Write the last rows and the footer of the file."""
        if self._writer is not None:
            self._write_group()
            self._writer.close()

    def _begin(self, schema: Any) -> None:
        from pyarrow import parquet

        self._writer = parquet.ParquetWriter(self.file, schema)

    def _write(self, table: Any) -> None:
        self._waiting.append(table)
        if sum(part.num_rows for part in self._waiting) >= GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting = []
