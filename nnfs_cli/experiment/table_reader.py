"""Tables that can be read as often as needed: from memory, or from files that do not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.left_out import LeftOut
from nnfs_cli.data.table import Kind, Table, concatenate_tables, row_slices
from nnfs_cli.errors import DataError


@dataclass(frozen=True)
class CellFinder:
    """Find the position and text of a cell by reading the table again, so that nothing of it stays in memory."""

    blocks: Callable[[], Iterator[Table]]
    rows: Array | None = None  # indices (n,) of the rows of a smaller table; None for all rows

    def find(self, row: int, name: str) -> tuple[str, str]:
        """Return where a cell is, and its text. Raises `DataError` if the table has changed."""
        at = before = row if self.rows is None else int(self.rows[row])
        for block in self.blocks():
            if at < block.n_rows:
                return block.locate(at, name, before)
            at -= block.n_rows
        raise DataError(f"row {before + 1} is gone: the table has changed since it was read")


@dataclass(frozen=True)
class TableReader:
    """A table that can be read as often as needed: its name, its digest and a function that yields its blocks.

    `survey` holds all rows in memory, but perhaps only the columns that decide to which split a row belongs.
    """

    name: str
    sha256: str
    blocks: Callable[[], Iterator[Table]]
    survey: Table

    def __reduce__(self) -> tuple[object, ...]:
        """Return what makes a copy in another process, of a table in memory; it cannot locate cells in a file."""
        return read_from_memory, (replace(self.survey, find=None),)


def read_from_memory(table: Table) -> TableReader:
    """Return a reader of a table in memory."""

    def blocks() -> Iterator[Table]:
        for rows in row_slices(table.n_rows):
            yield table.take(rows) if rows.stop < table.n_rows or rows.start else table

    return TableReader(table.name, table.sha256, blocks, table)


def read_from_files(
    source: ColumnSource, kinds: Mapping[str, Kind], survey: Collection[str], left_out: LeftOut
) -> TableReader:
    """Return a reader of files; only the columns named in `survey` are kept in memory.

    Rows that are `left_out` are counted by this call. Reading raises `DataError` if the files have changed since.
    """
    stamp = source.stamp()

    def blocks(wanted: Mapping[str, Kind], count: bool = False) -> Iterator[Table]:
        if source.stamp() == stamp:
            for chunk in source.chunks(kinds if left_out else wanted, faults=left_out.faults):
                chunk = left_out.kept(chunk, count)
                columns = {name: column for name, column in chunk.columns.items() if name in wanted}
                yield replace(chunk, columns=columns)
        if source.stamp() != stamp:
            raise DataError(f"{source.called} has changed while it was read; start again when nothing writes to it")

    needed = {name: kinds[name] for name in survey if name in kinds}
    chunks = blocks(needed or dict(list(kinds.items())[:1]), count=True)
    tables = [replace(chunk, find=None) if needed else _row_count_of(chunk) for chunk in chunks]
    finder = CellFinder(lambda: blocks(needed))
    table = replace(concatenate_tables(tables), find=finder.find)
    return TableReader(table.name, source.sha256(), lambda: blocks(kinds), table)


def _row_count_of(chunk: Table) -> Table:
    """Return a table with the same number of rows and tiny columns, so that the cells do not stay in memory."""
    return replace(chunk, columns={name: np.zeros(chunk.n_rows, np.int8) for name in chunk.columns}, find=None)
