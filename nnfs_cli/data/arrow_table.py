"""Read the columns of an Arrow table, from a Parquet file or from Python, as columns of a `Table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.arrow import (
    NotUtf8Error,
    UnsupportedTypeError,
    dates_from_texts,
    refuse_invalid_utf8,
    to_column,
    to_stored_texts,
)
from nnfs_cli.data.dates import DATES
from nnfs_cli.data.numbers import expected_number, parse_number
from nnfs_cli.data.source import with_kinds
from nnfs_cli.data.table import Column, Kind, Table, gaps_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import named


def columns_of(
    file: str, content: Any, kinds: Mapping[str, Kind], start: int = 0
) -> tuple[dict[str, Column], dict[str, str]]:
    """Return the columns that a table can hold, and the types of all others. The rows begin at row `start` (from 0)."""
    columns: dict[str, Column] = {}
    unreadable: dict[str, str] = {}
    for name in content.schema.names:
        try:
            columns[name] = _column(content.column(name), kinds.get(name))
        except UnsupportedTypeError as error:
            unreadable[name] = str(error)
        except NotUtf8Error as error:
            raise _utf8_error(file, name, start, error) from None
    return columns, unreadable


def _column(column: Any, kind: Kind | None) -> Column:
    import pyarrow as pa

    if kind == "stored" and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return to_stored_texts(column)
    return to_column(column, kind == "category")


class ChunkReader:
    """A reader of consecutive batches of one Arrow table, with the arguments of `DataSource.chunks`.

    `needed` are the names of the columns that a batch must have. `unreadable` gives the types of columns that are not
    among the `kinds` and that no table can hold.
    """

    def __init__(
        self,
        file: str,
        schema: Any,
        kinds: Mapping[str, Kind],
        keep: Sequence[str] = (),
        faults: bool = False,
        from_python: bool = False,
        unreadable: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        names = schema.names
        self.file, self.faults, self.from_python = file, faults, from_python
        self.kinds = {name: kind for name, kind in kinds.items() if name in names}
        self.keep = [name for name in keep if name in names]
        self.needed = [name for name in names if name in kinds or name in keep] or names[:1]
        self._not_read, self._unreadable = tuple(name for name in names if name not in kinds), unreadable

    def read(self, batch: Any, start: int) -> Table:
        """Read the batch that begins at row `start` (from 0) of the table. Raises `DataError` for an unusable cell."""
        content = batch.select([name for name in batch.schema.names if name in self.kinds])
        columns, unreadable = columns_of(self.file, content, self.kinds, start)
        kept = {name: batch.column(name) for name in self.keep}
        for name, column in kept.items():
            try:
                refuse_invalid_utf8(column)
            except NotUtf8Error as error:
                raise _utf8_error(self.file, name, start, error) from None
        table = Table(
            self.file,
            columns,
            unreadable={**self._unreadable, **unreadable},
            not_read=self._not_read,
            kept=kept,
            from_python=self.from_python,
        )
        table = replace(table, find=_RowFinder(table, start))
        return _without_faults(table, self.kinds) if self.faults else with_kinds(table, self.kinds)


class _RowFinder:
    """A `Table.find` for a batch that begins at row `start` (from 0) of its file."""

    def __init__(self, table: Table, start: int) -> None:
        self.table, self.start = table, start

    def __call__(self, row: int, name: str) -> tuple[str, str]:
        return f"row {self.start + row + 1}", self.table.text_of(row, name)


def _without_faults(table: Table, kinds: Mapping[str, Kind]) -> Table:
    """Return the table with columns of these kinds, gaps for cells that do not fit, and the reasons in `faults`."""
    columns, faults = dict(table.columns), dict[int, str]()
    for name, kind in kinds.items():
        if name not in columns or kind not in ("number", "date"):
            continue
        columns[name], wrong = _numbers(table, name) if kind == "number" else _dates(table, name)
        for row in np.flatnonzero(wrong).tolist():
            faults.setdefault(row, str(table.error(row, name, _expected(table, row, name, kind))))
    return replace(with_kinds(replace(table, columns=columns), kinds), faults=dict(sorted(faults.items())))


def _numbers(table: Table, name: str) -> tuple[Array, Array]:
    """Return a column as numbers, with gaps for cells that are none, and a mask (rows,) of these cells."""
    column = table.column(name)
    if isinstance(column, Texts):
        found = [parse_number(text) for text in column.distinct.tolist()]
        numbers = np.array([*found, None], float)[column.codes]  # None becomes NaN
        return numbers, np.isnan(numbers) & ~column.gaps
    if column.dtype.kind == "M":
        return np.full(len(column), np.nan), ~gaps_of(column)
    wrong = np.isinf(column)
    return (np.where(wrong, np.nan, column) if wrong.any() else column), wrong


def _dates(table: Table, name: str) -> tuple[Array, Array]:
    """Return a column as dates, with gaps for cells that are none, and a mask (rows,) of these cells."""
    column = table.stored(name)
    if not isinstance(column, Texts) and column.dtype.kind in "MV":
        return column, np.zeros(len(column), bool)
    dates, wrong = dates_from_texts(table.texts(name))
    return dates, np.zeros(len(dates), bool) if wrong is None else wrong


def _expected(table: Table, row: int, name: str, kind: Kind) -> str:
    if kind == "date":
        return DATES
    return "finite numbers" if isinstance(table.column(name), np.ndarray) else expected_number(table.text_of(row, name))


def _utf8_error(file: str, name: str, start: int, error: NotUtf8Error) -> DataError:
    """Return the error for a text of a column that begins at row `start` of its file."""
    cell = f"{file}, row {start + error.row + 1}: column {named(name)}"
    return DataError(f"{cell} should hold texts in UTF-8, found {excerpt(error.found)}; save the file with UTF-8 texts")


def excerpt(content: bytes) -> str:
    """Return the beginning of some bytes, as Python writes them."""
    return f"{content[:40]!r}{'...' if len(content) > 40 else ''}"
