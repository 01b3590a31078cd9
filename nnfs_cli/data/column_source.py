"""The base class of data sets whose columns have names and whose rows are read piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from nnfs_cli.data.named_columns import NamedColumns
from nnfs_cli.data.source import NO_KINDS, DataSource
from nnfs_cli.data.table import Kind, Table


class ColumnSource(NamedColumns):
    """A data set that may be larger than memory: files of columns with names, or the rows of a query."""

    @property
    def called(self) -> str:
        """The name of the data set in messages."""
        raise NotImplementedError

    def in_place_of(self, like: DataSource) -> Self:
        """Return the data set with the target, the parsers and the other columns with a role of another one."""
        roles = {"target": like.target_columns(), "drop": like.dropped_columns()}
        weights = {"weight": like.weight_column(), "exposure": like.exposure_column()}
        return self.model_copy(update={**roles, **weights}).parsed_by(like.parsers)

    def read(self, kinds: Mapping[str, Kind] = NO_KINDS) -> Table:
        """Read all columns that are not dropped. Raises `DataError` if there are no rows, or they cannot be read."""
        with self._plain_errors():
            table = self._read(self.called, self._parsing.stored(kinds, every=True))
            (parsed,) = self._parse_each([table], kinds, faults=False)
            return parsed

    def names(self) -> tuple[str, ...]:
        """Return the names of all columns, including dropped ones."""
        with self._plain_errors():
            return self._names()

    def kinds(self, given: Mapping[str, Kind] = NO_KINDS) -> dict[str, Kind]:
        """Return the kind of each column that is not dropped: the given one, or the one that fits all cells.

        The memory does not grow with the number of rows.
        """
        with self._plain_errors():
            return self._parsing.kinds(self._kinds(self._parsing.stored(given, every=True)), given)

    def chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str] = (), faults: bool = False) -> Iterator[Table]:
        """Yield the columns in `kinds` that exist, read as these kinds, some ten thousand rows at a time.

        The memory does not grow with the number of rows. `keep` names columns to pass on unchanged in `Table.kept`. A
        cell that does not fit the kind of its column raises `DataError`; with `faults` it becomes a gap, and
        `Table.faults` holds the reason for its row.
        """
        with self._plain_errors():
            tables = self._chunks(self._parsing.stored(kinds), keep, faults)
            yield from self._parse_each(tables, kinds, faults) if self.parsers else tables

    def declared_texts(self) -> frozenset[str]:
        """Return the columns that the source itself declares as texts; a CSV file declares none."""
        return frozenset()

    def settled(self) -> Self:
        """Return the data set with parsers whose settings all of its cells settle, without keeping the cells."""
        unsettled: dict[str, Kind] = {name: "stored" for name, one in self.parsers.items() if not one.is_settled}
        if not unsettled:
            return self
        with self._plain_errors():
            return self.parsed_by(self._parsing.settled_by(self._chunks(unsettled, (), False)).parsers)

    def table_size(self) -> int:
        """Estimate how many bytes the table takes in memory."""
        with self._plain_errors():
            return self._table_size()

    def estimate_rows(self, first: int) -> int:
        """Estimate the number of rows from the size of the `first` rows, or count them where that is cheap."""
        with self._plain_errors():
            return self._estimate_rows(first)

    def size(self) -> int:
        """Return the number of bytes in which the rows are stored."""
        raise NotImplementedError

    def _read(self, name: str, kinds: Mapping[str, Kind]) -> Table:
        raise NotImplementedError

    def _names(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _kinds(self, given: Mapping[str, Kind]) -> dict[str, Kind]:
        raise NotImplementedError

    def _chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str], faults: bool) -> Iterator[Table]:
        raise NotImplementedError

    def _table_size(self) -> int:
        raise NotImplementedError

    def _estimate_rows(self, first: int) -> int:
        raise NotImplementedError
