"""Write tables as Parquet files with pyarrow."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from nnfs_cli.data.arrow import to_arrow
from nnfs_cli.data.table_writer import TableWriter
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import named

GROUP_ROWS = 1 << 17  # rows of a row group, unless a block is larger


class ParquetWriter(TableWriter):
    """A writer of Parquet files. The first block sets the types of the columns, and texts are written unchanged."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._writer: Any = None
        self._waiting: list[Any] = []

    def write(self, columns: Mapping[str, Any]) -> None:
        """Take the next rows, and write them once there are enough for a row group."""
        import pyarrow as pa
        from pyarrow import parquet

        table = to_arrow(columns)
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self.file, table.schema)
        for before, now in zip(self._writer.schema, table.schema, strict=True):
            try:
                table.column(now.name).cast(before.type)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                types = f"{now.type}, but {before.type} in earlier rows"
                raise DataError(
                    f"column {named(now.name)} is {types}; a column of a Parquet file has one type"
                ) from None
        self._waiting.append(table.cast(self._writer.schema))
        if sum(part.num_rows for part in self._waiting) >= GROUP_ROWS:
            self._write_group()

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

    def _write_group(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting = []
