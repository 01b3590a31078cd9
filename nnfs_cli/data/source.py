"""The base class of data sets. A data set gives a table and names the columns to predict."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, Self

from pydantic import PrivateAttr

from nnfs_cli.components.component import Component
from nnfs_cli.data.parsing import Parser
from nnfs_cli.data.parsing.parsed_columns import ParsedColumns
from nnfs_cli.data.table import Column, Kind, Table, row_slices

NO_KINDS: Mapping[str, Kind] = MappingProxyType({})
NOTHING_PARSED = ParsedColumns()


class Facts(NamedTuple):
    """The sizes that a net must fit: the numbers of inputs, of classes and of targets."""

    n_features: int
    n_classes: int | None  # None if the target is a number
    n_targets: int = 1


class DataSource(Component, family="dataset"):
    """A data set: rows to train on, with one or more target columns."""

    _parsing: ParsedColumns = PrivateAttr(NOTHING_PARSED)

    def parsed_by(self, parsers: Mapping[str, Parser]) -> Self:
        """Return the data set with columns that parsers read before anything else sees them, by name."""
        bound = self.model_copy()
        bound._parsing = ParsedColumns(parsers)
        return bound

    @property
    def parsers(self) -> Mapping[str, Parser]:
        """The parsers of columns, by name."""
        return self._parsing.parsers

    def _parse(self, table: Table, kinds: Mapping[str, Kind], faults: bool = False) -> Table:
        """Return a table, read as it is stored, with its columns parsed and then read as these kinds."""
        if not self.parsers:
            return table
        own = {output for name, parser in self.parsers.items() for output in parser.outputs(name)}
        wanted = {name: kind for name, kind in kinds.items() if name in own}
        return with_kinds(self._parsing.of(table, faults), wanted)

    def _parse_each(self, tables: Iterable[Table], kinds: Mapping[str, Kind], faults: bool) -> Iterator[Table]:
        """Yield what `_parse` returns for each table, then warn about cells that could not be read."""
        return self._parsing.warn_of_empty(self._parse(table, kinds, faults) for table in tables)

    def facts(self) -> Facts | None:
        """Return what is known without reading anything, so that a config can be checked first, or None."""
        return None

    def target_columns(self) -> tuple[str, ...]:
        """Return the names of the columns to predict."""
        raise NotImplementedError

    def dropped_columns(self) -> tuple[str, ...]:
        """Return the names of the columns that are neither input nor target."""
        return ()

    def weight_column(self) -> str | None:
        """Return the name of the column with the weight of each row, if there is one."""
        return None

    def exposure_column(self) -> str | None:
        """Return the name of the column with the exposure of each row, if there is one."""
        return None

    def read(self, kinds: Mapping[str, Kind] = NO_KINDS) -> Table:
        """Read all rows. `kinds` sets the kind of single columns; all cells of another column decide its kind.

        Raises `DataError` if the rows cannot be read or a cell does not fit the kind of its column.
        """
        raise NotImplementedError

    def names(self) -> tuple[str, ...]:
        """Return the names of all columns."""
        return tuple(self.read().columns)

    def chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str] = (), faults: bool = False) -> Iterator[Table]:
        """Yield the columns in `kinds` that exist, read as these kinds, some ten thousand rows at a time.

        `keep` names columns to pass on unchanged in `Table.kept`.
        """
        table = self.read()
        kept = {name: table.column(name) for name in keep if name in table.columns}
        not_read = tuple(name for name in table.columns if name not in kinds)
        wanted = {name: kind for name, kind in kinds.items() if name in table.columns}
        slices = row_slices(table.n_rows)
        columns = {name: table.columns[name] for name in wanted}
        table = with_kinds(replace(table, columns=columns, not_read=not_read), wanted)
        for rows in slices:
            yield replace(table.take(rows), kept={name: column[rows] for name, column in kept.items()})

    def stamp(self) -> Hashable:
        """Return a value that changes with the rows: a cheap way to notice a change."""
        raise NotImplementedError

    def sha256(self) -> str:
        """Return the digest of the rows."""
        raise NotImplementedError

    def _plain_errors(self) -> AbstractContextManager[None]:
        """Turn errors of the system into `DataError`."""
        return nullcontext()


def with_kinds(table: Table, kinds: Mapping[str, Kind]) -> Table:
    """Return the table with some columns read as these kinds. Raises `DataError` for a cell that does not fit."""
    columns: dict[str, Column] = dict(table.columns)
    for name, kind in kinds.items():
        if name not in columns and not table.has(name):
            continue
        if kind == "number":
            columns[name] = table.numbers(name, gaps=True)
        elif kind == "category":
            columns[name] = table.texts(name)
        elif kind == "date":
            columns[name] = table.zoned_dates(name)
    return replace(table, columns=columns)
