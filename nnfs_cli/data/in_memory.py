"""Data sets that are given in Python, instead of in a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, PrivateAttr

from nnfs_cli.components.field_types import NotEmpty
from nnfs_cli.data.arrow import is_categorical
from nnfs_cli.data.arrow_table import ChunkReader, columns_of
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.content_digest import content_digest
from nnfs_cli.data.file_source import source_for
from nnfs_cli.data.named_columns import NamedColumns, Names
from nnfs_cli.data.python_tables import library_of, to_arrow_table
from nnfs_cli.data.source import NO_KINDS, DataSource, with_kinds
from nnfs_cli.data.table import ROWS_AT_ONCE, Kind, Label, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.remote.file import RemoteFile, location


class InMemory(NamedColumns, name="table", main="target"):
    """A table given in Python, of pandas, polars, pyarrow, NumPy or dicts. A config cannot hold its rows.

    A run trained on such a table evaluates and predicts files and other tables, but it cannot be resumed from the
    command line, where the rows are not known.
    """

    examples: ClassVar[tuple[str, ...]] = ("table: price", "table: {target: price, drop: [id]}")

    target: Annotated[Names, NotEmpty] = Field(kw_only=False)
    """Column to predict, or several columns of numbers."""

    _content: Any = PrivateAttr(None)  # a pyarrow Table; None if there are no rows
    _called: str = PrivateAttr("the table")
    _classes: tuple[Label, ...] | None = PrivateAttr(None)

    def of(self, data: Any, name: str = "the table", classes: tuple[Label, ...] | None = None) -> Self:
        """Return the data set with rows; see `to_arrow_table` for the types of `data`.

        `classes` are the labels of the target, in the order of the net's outputs; by default they are sorted.
        Raises `DataError`.
        """
        bound = self.model_copy()
        bound._content, bound._called, bound._classes = to_arrow_table(data, name), name, classes
        return bound

    def without_rows(self) -> Self:
        """Return the data set without its rows, to be kept after training."""
        free = self.model_copy()
        free._content = None
        return free

    @property
    def has_rows(self) -> bool:
        """Whether the rows are here; a run does not keep them."""
        return self._content is not None

    def names(self) -> tuple[str, ...]:
        """Return the names of all columns, including dropped ones."""
        return tuple(self._rows().schema.names)

    def read(self, kinds: Mapping[str, Kind] = NO_KINDS) -> Table:
        """Read all columns that are not dropped. Raises `DataError` if there are no rows.

        The type of a column decides its kind: texts are categories even if they look like numbers, and so is a column
        of `categories`. The digest of the table covers these columns. It is the same for the same cells from any
        library.
        """
        table = self._read(self._parsing.stored(kinds, every=True))
        (parsed,) = self._parse_each([table], kinds, faults=False)
        return parsed

    def _read(self, kinds: Mapping[str, Kind]) -> Table:
        content = self._rows()
        wanted = [name for name in content.schema.names if name not in self.drop]
        not_read = tuple(name for name in content.schema.names if name in self.drop)
        columns, unreadable = columns_of(self._called, content.select(wanted), NO_KINDS)
        sha256 = content_digest(columns)
        declared: dict[str, Kind] = dict.fromkeys(self.categories().difference(self.target), "category")
        as_read = {**declared, **kinds}
        texts = [
            name
            for name, column in columns.items()
            if as_read.get(name) == "category" and not isinstance(column, Texts)
        ]
        columns |= columns_of(self._called, content.select(texts), as_read)[0]
        table = Table(
            self._called, columns, sha256, self._classes, unreadable=unreadable, not_read=not_read, from_python=True
        )
        return with_kinds(table, kinds)

    def categories(self) -> frozenset[str]:
        """Return the columns whose type says that they hold categories, such as `category` of pandas.

        They are read as categories even if these are numbers, unless `kinds` says otherwise.
        """
        schema = self._rows().schema
        return frozenset(name for name, kind in zip(schema.names, schema.types, strict=True) if is_categorical(kind))

    @property
    def library(self) -> str:
        """The library of the table if its messages need it: "pandas", or an empty string."""
        return library_of(self._rows())

    def chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str] = (), faults: bool = False) -> Iterator[Table]:
        """Yield the rows in chunks; see `DataSource.chunks`."""
        content = self._rows()
        stored = self._parsing.stored(kinds)
        reader = ChunkReader(self._called, content.schema, stored, keep, faults, from_python=True)
        starts = range(0, content.num_rows, ROWS_AT_ONCE)
        tables = (reader.read(content.slice(start, ROWS_AT_ONCE), start) for start in starts)
        yield from self._parse_each(tables, kinds, faults) if self.parsers else tables

    def _rows(self) -> Any:
        if self._content is None:
            raise DataError(
                "the data set is a table given in Python, whose rows are not kept; give a table again from Python, or a"
                " file with the same columns"
            )
        if not self._content.num_rows:
            raise DataError(f"{self._called} has no rows")
        return self._content


def rows_for(rows: Any, like: DataSource, name: str = "the table") -> DataSource:
    """Return the data set for other rows, with the target, drop and weight of `like`.

    `rows` are the path or the URL of a file, a data set such as a query, or a table given in Python, which messages
    call `name`. Raises `DataError` if they are none of these.
    """
    if isinstance(rows, ColumnSource):
        return rows.in_place_of(like)
    if isinstance(rows, str | os.PathLike | RemoteFile):
        return source_for(location(rows), like)
    if not isinstance(like, InMemory):
        parsers = like.parsers
        like = _with_roles(
            like.target_columns(), like.dropped_columns(), like.weight_column(), like.exposure_column()
        ).parsed_by(parsers)
    return like.of(rows, name)


@lru_cache  # checking the names takes longer than reading one row
def _with_roles(target: tuple[str, ...], drop: tuple[str, ...], weight: str | None, exposure: str | None) -> InMemory:
    return InMemory(target=target, drop=drop, weight=weight, exposure=exposure)
