"""Tables in Parquet files, whose columns carry their types."""

from __future__ import annotations

from typing import Any

from nnfs_cli.data.file_source import ColumnSource, checked_names
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError
from nnfs_cli.parameters import Array


class Parquet(ColumnSource, name="parquet", main="path"):
    """A Parquet file."""

    examples = ("parquet: {path: houses.parquet, target: price}",)
    suffixes = (".parquet", ".pq")

    def _read(self, name: str) -> Table:
        import pyarrow as pa
        from pyarrow import parquet

        sha256 = self._sha256()
        try:
            # One file is one table: no folder of partitions is looked for around it.
            table = parquet.ParquetFile(self.path).read()
        except pa.ArrowInvalid as error:
            raise DataError(f"{name} is not a Parquet file: {str(error).splitlines()[0]}") from None
        names = checked_names(name, list(table.column_names))
        if not table.num_rows:
            raise DataError(f"{name} has no rows")
        return Table(name, {column: to_numpy(table[column]) for column in names}, sha256)


def to_numpy(column: Any) -> Array:
    """A column of Arrow as `Table` wants it: numbers stay numbers, a gap among them is NaN, all else is objects."""
    import numpy as np
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_decimal(kind):
        column, kind = column.cast(pa.float64()), pa.float64()
    if pa.types.is_boolean(kind) and not column.null_count:
        return np.asarray(column.to_numpy())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.asarray(column.to_numpy())
    values = np.empty(len(column), object)
    values[:] = column.to_pylist()
    return values
