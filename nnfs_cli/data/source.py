"""What a data set is: something that gives a table and says which of its columns is the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from nnfs_cli.components.component import Component
from nnfs_cli.data.table import Column, Kind, Table, row_slices

NO_KINDS: Mapping[str, Kind] = MappingProxyType({})


class Facts(NamedTuple):
    """What a net must fit: numbers in, and classes or values out."""

    n_features: int
    n_classes: int | None  # None where the target is numbers
    n_targets: int = 1


class DataSource(Component, family="dataset"):
    """Rows to learn from."""

    def facts(self) -> Facts | None:
        """What is known without reading anything, so that a config can be checked first."""
        return None

    def target_columns(self) -> tuple[str, ...]:
        """The names of the columns to predict."""
        raise NotImplementedError

    def dropped_columns(self) -> tuple[str, ...]:
        """The names of columns that are neither input nor target."""
        return ()

    def weight_column(self) -> str | None:
        """The name of the column that says how much each row counts, if there is one."""
        return None

    def read(self, kinds: Mapping[str, Kind] = NO_KINDS) -> Table:
        """All rows. `kinds` says what single columns are to be taken for; all cells of the others show it.

        Raises `DataError` when they cannot be read as they are, or not be taken for that.
        """
        raise NotImplementedError

    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(self.read().columns)

    def chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str] = (), faults: bool = False) -> Iterator[Table]:
        """Those of the columns that there are, as these kinds, some ten thousand rows at a time."""
        table = self.read()
        kept = {name: table.column(name) for name in keep if name in table.columns}
        not_read = tuple(name for name in table.columns if name not in kinds)
        wanted = {name: kind for name, kind in kinds.items() if name in table.columns}
        n_rows = table.n_rows
        table = with_kinds(
            replace(table, columns={name: table.columns[name] for name in wanted}, not_read=not_read), wanted
        )
        for rows in row_slices(n_rows):
            yield replace(table.take(rows), kept={name: column[rows] for name, column in kept.items()})


def with_kinds(table: Table, kinds: Mapping[str, Kind]) -> Table:
    """The table with some of its columns as these kinds. Raises `DataError` where a cell does not hold that."""
    columns: dict[str, Column] = dict(table.columns)
    for name, kind in kinds.items():
        if name not in columns and not table.has(name):
            continue
        if kind == "number":
            columns[name] = table.numbers(name, gaps=True)
        elif kind == "category":
            columns[name] = table.texts(name)
        else:
            columns[name] = table.dates(name)
    return replace(table, columns=columns)
