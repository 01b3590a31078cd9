"""The base class of writers of formats in which each column has one type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from nnfs_cli.data.arrow import to_arrow
from nnfs_cli.data.table_writer import TableWriter
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import named


class ArrowWriter(TableWriter):
    """A writer of tables of Arrow. The first block sets the types of the columns, and texts are written unchanged."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._schema: Any = None

    def write(self, columns: Mapping[str, Any]) -> None:
        """Write the next rows. Raises `DataError` for a cell that does not fit the type of its column."""
        import pyarrow as pa

        table = to_arrow(columns)
        if self._schema is None:
            self._schema = table.schema
            self._begin(self._schema)
        for before, now in zip(self._schema, table.schema, strict=True):
            try:
                table.column(now.name).cast(before.type)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                types = f"{now.type}, but {before.type} in earlier rows"
                raise DataError(f"column {named(now.name)} is {types}; a column of such a file has one type") from None
        self._write(table.cast(self._schema))

    def _begin(self, schema: Any) -> None:
        """Begin to write columns of these types."""

    def _write(self, table: Any) -> None:
        """Write the next rows, a table of Arrow."""
        raise NotImplementedError
