"""Tables in Parquet files, whose columns carry their types."""

from __future__ import annotations

from nnfs_cli.data.arrow import check_names, to_arrays
from nnfs_cli.data.file_source import ColumnSource
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError


class Parquet(ColumnSource, name="parquet", main="path"):
    """A Parquet file, whose columns carry their names and types."""

    examples = ("parquet: {path: houses.parquet, target: price}",)
    suffixes = (".parquet", ".pq")

    def _read(self, name: str) -> Table:
        import pyarrow as pa
        from pyarrow import parquet

        sha256 = self._sha256()
        try:
            # One file is one table: no folder of partitions is looked for around it.
            with parquet.ParquetFile(self.path) as file:
                table = file.read()
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise DataError(f"{name} is not a Parquet file, or a damaged one: {str(error).splitlines()[0]}") from None
        check_names(table, name)
        if not table.num_rows:
            raise DataError(f"{name} has no rows")
        columns, unreadable = to_arrays(table)
        return Table(name, columns, sha256, unreadable=unreadable)
