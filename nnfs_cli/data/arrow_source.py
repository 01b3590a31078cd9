"""The base classes of data sets whose rows are read as Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from nnfs_cli.data.arrow_rows import ArrowRows, PartitionedRows, partitions
from nnfs_cli.data.arrow_table import ChunkReader, columns_of
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.file_source import ColumnFile, check_names, check_schema
from nnfs_cli.data.source import with_kinds
from nnfs_cli.data.table import Kind, Table, concatenate_tables
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.matching import files_below
from nnfs_cli.system.remote.file import Location
from nnfs_cli.system.without_pandas import leave_pandas_out


class ArrowSource(ColumnSource):
    """A data set whose rows are read as Arrow, so that columns carry names and types."""

    def _parts(self) -> Iterator[ArrowRows]:
        """Yield the rows of each place, such as a file; at least one. All have the same columns."""
        raise NotImplementedError

    def _names(self) -> tuple[str, ...]:
        return tuple(next(self._parts()).schema.names)

    def _kinds(self, given: Mapping[str, Kind]) -> dict[str, Kind]:
        rows = next(self._parts())
        columns, _ = columns_of(self.called, rows.schema.empty_table(), {})
        table, dates = Table(self.called, columns), self._dates()
        own: dict[str, Kind] = {name: "date" if name in dates else table.kind(name) for name in columns}
        return {name: given.get(name, kind) for name, kind in own.items() if name not in self.drop}

    def declared_texts(self) -> frozenset[str]:
        """Return the columns whose cells are texts by their type."""
        with self._plain_errors():
            rows = next(self._parts())
        columns, _ = columns_of(self.called, rows.schema.empty_table(), {})
        return frozenset(name for name, column in columns.items() if isinstance(column, Texts)) - rows.mixed

    def _dates(self) -> frozenset[str]:
        """Return the columns of texts whose cells are all dates; see `ArrowRows.dates`."""
        parts = self._parts()
        found = next(parts).dates
        while found and (rows := next(parts, None)):  # without any, as in Parquet, no other file has to be opened
            found &= rows.dates
        return found

    def _table_size(self) -> int:
        """Return the size of 8 bytes for each cell, since a file is often much smaller than its cells."""
        return sum(8 * rows.count() * (len(rows.schema.names) - len(self.drop)) for rows in self._parts())

    def _estimate_rows(self, first: int) -> int:
        return sum(rows.count() for rows in self._parts())

    def _read(self, name: str, kinds: Mapping[str, Kind]) -> Table:
        tables, n_rows, dropped = [], 0, list[str]()
        kinds = {**dict.fromkeys(self._dates().difference(self.drop), "date"), **kinds}
        for rows in self._parts():
            _refuse(rows.faults)
            content = rows.whole([column for column in rows.schema.names if column not in self.drop])
            dropped = dropped or [column for column in rows.schema.names if column in self.drop]
            n_rows += content.num_rows
            columns, unreadable = columns_of(rows.name, content, kinds)
            tables.append(with_kinds(Table(rows.name, columns, unreadable=unreadable), kinds))
        if not n_rows:
            raise DataError(f"{name} has no rows")
        whole = concatenate_tables(_of_one_type(tables))
        return replace(whole, name=name, sha256=self.sha256(), not_read=tuple(dropped))

    def _chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str], faults: bool) -> Iterator[Table]:
        n_rows = 0
        for rows in self._parts():
            _refuse({} if faults else rows.faults)
            others = rows.schema.empty_table().select([name for name in rows.schema.names if name not in kinds])
            unreadable = columns_of(rows.name, others, {})[1]
            reader = ChunkReader(rows.name, rows.schema, kinds, keep, faults, unreadable=unreadable)
            start = 0
            for batch in rows.batches(reader.needed):
                yield _with_faults(reader.read(batch, start), rows.faults, start)
                start += batch.num_rows
            n_rows += start
        if not n_rows:
            raise DataError(f"{self.called} has no rows")


class ArrowFile(ArrowSource, ColumnFile):
    """A data set in one or more files that are read as Arrow.

    A folder stands for all its files; the names of folders inside, such as year=2026, are cells of the column year.
    """

    reads_folders = True

    @property
    def files(self) -> Sequence[Location]:
        """The files, sorted by name."""
        if isinstance(self.path, Path) and self.path.is_dir():
            return files_below(self.path, self.suffixes) or [self.path]
        return super().files

    def _opened(self, path: Location) -> AbstractContextManager[ArrowRows]:
        """Open one file."""
        raise NotImplementedError

    def _table_size(self) -> int:
        return max(ArrowSource._table_size(self), ColumnFile._table_size(self))

    def _parts(self) -> Iterator[ArrowRows]:
        """Yield the rows of each file. Raises `DataError` unless all files have the same columns."""
        leave_pandas_out()
        files = self.files
        cells = partitions([_folders(path, self.path) for path in files]) if self.path.is_dir() else []
        first: tuple[Sequence[str], str] | None = None
        for i, path in enumerate(files):
            with self._opened(path) as rows:
                check_names(rows.schema.names, path.name)
                if cells and cells[i]:
                    rows = PartitionedRows(rows, cells[i])
                    check_names(rows.schema.names, path.name)
                first = first or (rows.schema.names, path.name)
                check_schema(rows.schema.names, first[0], path.name, first[1])
                yield rows


def _refuse(faults: Mapping[int, str]) -> None:
    if faults:
        raise DataError(faults[min(faults)])


def _with_faults(table: Table, faults: Mapping[int, str], start: int) -> Table:
    """Return a table, which begins at row `start` of a file, with those `faults` of the file that are of its rows."""
    if not faults:
        return table
    own = {row - start: reason for row, reason in faults.items() if start <= row < start + table.n_rows}
    return replace(table, faults=dict(sorted({**table.faults, **own}.items())))


def _folders(path: Location, folder: Location) -> Sequence[str]:
    """Return the names of the folders between a folder and a file in it."""
    here, above = (one.as_posix() if isinstance(one, Path) else unquote(one.url) for one in (path, folder))
    return here.removeprefix(above).split("/")[:-1]


def _of_one_type(tables: Sequence[Table]) -> list[Table]:
    """Return the tables with the same type of a column in all: texts if the types differ."""
    mixed: dict[str, Kind] = {}
    for name in tables[0].columns:
        if len({table.kind(name) for table in tables}) > 1:
            mixed[name] = "category"
    return [with_kinds(table, mixed) for table in tables] if mixed else list(tables)
