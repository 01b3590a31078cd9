"""The rows of a request, in a form in which those of several requests can be joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from nnfs_cli.data.source import with_kinds
from nnfs_cli.data.table import Column, Kind, Table, concatenate_columns
from nnfs_cli.data.texts import Texts

BODY = "the body"  # the name of the table in messages
Cells = Mapping[str, list[Any]]  # by column; numbers, texts and None


@dataclass(frozen=True)
class Rows:
    """Rows of a body, as tables that follow each other, or as checked cells of JSON, of which a table is made later."""

    tables: tuple[Table, ...] = ()
    cells: Cells | None = None
    kinds: Mapping[str, Kind] | None = None  # of the cells

    @property
    def n(self) -> int:
        """The number of rows."""
        if self.cells is None:
            return sum(table.n_rows for table in self.tables)
        return len(next(iter(self.cells.values())))

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns."""
        return frozenset(self.tables[0].columns if self.cells is None else self.cells)

    @property
    def parts(self) -> tuple[Table, ...]:
        """The rows as tables. Raises `DataError` for a cell that does not fit the kind of its column."""
        return self.tables if self.cells is None else (table_of(self.cells, self.kinds or {}),)


def joined(several: Sequence[Rows]) -> Table:
    """Return one table with the rows of all, which have the same columns. Raises `DataError` as `Rows.parts` does."""
    first = several[0]
    if all(rows.cells is not None for rows in several):
        cells = [rows.cells or {} for rows in several]
        merged = {name: [*chain.from_iterable(of[name] for of in cells)] for name in cells[0]}
        return table_of(merged, first.kinds or {})
    tables = [table for rows in several for table in rows.parts]
    return Table(BODY, {name: concatenate_columns([table.columns[name] for table in tables]) for name in first.columns})


def table_of(cells: Cells, kinds: Mapping[str, Kind]) -> Table:
    """Return the table of some cells. Raises `DataError` for a text that is not a date where one should be."""
    columns: dict[str, Column] = {
        name: _numbers(column) if kinds[name] == "number" else Texts.of(column) for name, column in cells.items()
    }
    return with_kinds(Table(BODY, columns), {name: "date" for name in cells if kinds[name] == "date"})


def _numbers(cells: list[Any]) -> Any:
    """Return numbers as an array (rows,): a gap is NaN, and what no float can hold is infinite."""
    try:
        return np.array(cells, np.float64)
    except OverflowError:
        return np.array([np.inf if isinstance(cell, int) and abs(cell) > 10**300 else cell for cell in cells], float)
