"""Data sets in Parquet files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnfs_cli.data.arrow_table import ChunkReader, columns_of, excerpt
from nnfs_cli.data.file_source import ColumnSource, check_names, check_schema
from nnfs_cli.data.source import with_kinds
from nnfs_cli.data.table import Kind, Table, concatenate_tables
from nnfs_cli.errors import DataError
from nnfs_cli.system.without_pandas import leave_pandas_out

ROWS = 32_768  # rows that are read at a time
BUFFER = 1 << 20  # bytes of each column that pyarrow buffers


class Parquet(ColumnSource, name="parquet", main="path"):
    """A Parquet file, whose columns carry names and types, or several files with the same columns."""

    examples = ("parquet: {path: houses.parquet, target: price}", "parquet: {path: part-*.parquet, target: price}")
    suffixes = (".parquet", ".pq")

    def _names(self) -> tuple[str, ...]:
        with _opened(self.files[0]) as file:
            return tuple(file.schema_arrow.names)

    def _kinds(self, given: Mapping[str, Kind]) -> dict[str, Kind]:
        with _opened(self.files[0]) as file:
            empty = file.schema_arrow.empty_table()
        columns, _ = columns_of(self.path.name, empty, {})
        table = Table(self.path.name, columns)
        return {name: given.get(name, table.kind(name)) for name in columns if name not in self.drop}

    def _table_size(self) -> int:
        """Return the size of 8 bytes for each cell, since a file is often much smaller than its cells."""
        cells = 0
        for path in self.files:
            with _opened(path) as file:
                cells += file.metadata.num_rows * (len(file.schema_arrow.names) - len(self.drop))
        return max(8 * cells, super()._table_size())

    def _read(self, name: str, kinds: Mapping[str, Kind]) -> Table:
        tables, n_rows = [], 0
        for path, file in self._each():
            wanted = [column for column in file.schema_arrow.names if column not in self.drop]
            with _plain_errors(path):
                content = file.read(columns=wanted)
            n_rows += content.num_rows
            columns, unreadable = columns_of(path.name, content, kinds)
            tables.append(with_kinds(Table(path.name, columns, unreadable=unreadable), kinds))
        if not n_rows:
            raise DataError(f"{name} has no rows")
        whole = concatenate_tables(_of_one_type(tables))
        not_read = tuple(column for column in self._names() if column in self.drop)
        return replace(whole, name=name, sha256=self.sha256(), not_read=not_read)

    def _chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str], faults: bool) -> Iterator[Table]:
        n_rows = 0
        for path, file in self._each():
            others = file.schema_arrow.empty_table().select([n for n in file.schema_arrow.names if n not in kinds])
            unreadable = columns_of(path.name, others, {})[1]
            reader = ChunkReader(path.name, file.schema_arrow, kinds, keep, faults, unreadable=unreadable)
            batches = _batches(file, reader.needed)
            start = 0
            while (batch := _next(path, batches)) is not None:
                yield reader.read(batch, start)
                start += batch.num_rows
            n_rows += start
        if not n_rows:
            raise DataError(f"{self.path.name} has no rows")

    def _each(self) -> Iterator[tuple[Path, Any]]:
        """Yield each path with its open file. Raises `DataError` unless all files have the same columns."""
        first: tuple[Sequence[str], str] | None = None
        for path in self.files:
            with _opened(path) as file:
                names = file.schema_arrow.names
                first = first or (names, path.name)
                check_schema(names, first[0], path.name, first[1])
                yield path, file


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from pyarrow import parquet

    if path.is_dir():
        raise IsADirectoryError
    try:
        with _plain_errors(path):
            # One file is one table: ParquetFile, unlike read_table, does not take folders around it for partitions.
            file = parquet.ParquetFile(path, buffer_size=BUFFER)
    except UnicodeDecodeError as error:
        found = excerpt(error.object)
        raise DataError(f"{path.name}: the name of a column is not UTF-8, found {found}; rename the column") from None
    with file:
        check_names(file.schema_arrow.names, path.name)
        yield file


@contextlib.contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    leave_pandas_out()
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        why = str(error).splitlines()[0]
        raise DataError(f"{path.name} is not a Parquet file or is damaged: {why}") from None


def _batches(file: Any, columns: Sequence[str]) -> Iterator[Any]:
    """Yield batches of rows, one row group after another: pyarrow keeps all groups that it reads in one call."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(ROWS, row_groups=[group], columns=columns)


def _next(path: Path, batches: Iterator[Any]) -> Any:
    import pyarrow as pa

    with _plain_errors(path):
        batch = next(batches, None)
        return None if batch is None else pa.Table.from_batches([batch])


def _of_one_type(tables: Sequence[Table]) -> list[Table]:
    """Return the tables with the same type of a column in all: texts if the types differ."""
    if not tables:
        return []
    mixed: dict[str, Kind] = {}
    for name in tables[0].columns:
        if len({table.kind(name) for table in tables}) > 1:
            mixed[name] = "category"
    return [with_kinds(table, mixed) for table in tables] if mixed else list(tables)
