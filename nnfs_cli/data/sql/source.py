"""Data sets that are the rows of a query."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, PrivateAttr, ValidationInfo, WithJsonSchema

from nnfs_cli.components.field_types import FilePath, Text, absolute_path, refuse_secret, relative_path
from nnfs_cli.data.arrow_rows import ArrowRows
from nnfs_cli.data.arrow_source import ArrowSource
from nnfs_cli.data.file_source import check_names
from nnfs_cli.data.rows_digest import rows_digest
from nnfs_cli.data.spooled_rows import SpooledRows
from nnfs_cli.data.sql.database import Database
from nnfs_cli.data.sql.duckdb import Duck
from nnfs_cli.data.sql.url import DUCKDB, DatabaseUrl, database_at, path_in
from nnfs_cli.system.without_pandas import leave_pandas_out

_NOT_CODE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def _without_secret(query: str) -> str:
    refuse_secret(query)
    return query


def _folder(value: object, info: ValidationInfo) -> Path:
    return absolute_path(value, info, folders=True)


Query = Annotated[Text, AfterValidator(_without_secret)]
Folder = Annotated[
    Path,
    PlainValidator(_folder),
    PlainSerializer(relative_path, return_type=str),
    WithJsonSchema({"type": "string", "format": "path", "minLength": 1}),
]


class QuerySource(ArrowSource):
    """A data set that is the rows of a query, in their order. The query is run once, when the rows are first needed."""

    query: Query
    """A query in SQL, whose columns are those of the data set. Give it an `order by`, so that rows keep their order."""

    _kept: list[tuple[SpooledRows, str]] = PrivateAttr(default_factory=list)  # of the rows, shared by all copies

    @property
    def called(self) -> str:
        """The name of the rows in messages."""
        return "the query"

    @property
    def database(self) -> Database:
        """The database that is asked."""
        raise NotImplementedError

    def size(self) -> int:
        """Return the number of bytes in which the rows are kept."""
        return self._rows()[0].size()

    def stamp(self) -> Hashable:
        """Return a constant: the rows are read once."""
        return self.query

    def sha256(self) -> str:
        """Return the digest of the rows."""
        return self._rows()[1]

    @property
    def is_ordered(self) -> bool:
        """Whether the query says in which order the rows come."""
        return re.search(r"\border\s+by\b", _NOT_CODE.sub(" ", self.query), re.IGNORECASE) is not None

    def _parts(self) -> Iterator[ArrowRows]:
        yield self._rows()[0]

    def _rows(self) -> tuple[SpooledRows, str]:
        """Return the rows, which are spooled once, and their digest."""
        if not self._kept:
            leave_pandas_out()
            rows = SpooledRows(self.called, find_dates=not self.database.has_dates)
            for table in self.database.rows(self.query):
                check_names(table.schema.names, self.called)
                rows.add(table)
            self._kept.append((rows.complete(), rows_digest(rows)))
        return self._kept[0]


class Sql(QuerySource, name="sql"):
    """The rows of a query to a PostgreSQL server or an SQLite file, read once, in a transaction that can only read.

    A password is never in a config: the URL names an environment variable, or libpq finds it in PGPASSWORD or .pgpass.
    """

    examples = (
        "sql: {url: 'postgresql://ann:${DB_PASSWORD}@db.example.org/shop', query: select * from sales order by id,"
        " target: price}",
        "sql: {url: 'sqlite:houses.db', query: select * from houses order by id, target: price}",
    )

    url: DatabaseUrl
    """URL of the database: postgresql://user@host/name, or sqlite: and the path of a file, relative to the config."""

    @property
    def database(self) -> Database:
        """The database at the URL."""
        return database_at(self.url)


class DuckDb(QuerySource, name="duckdb"):
    """The rows of a query that DuckDB answers, from files that the query names or from a database in a file."""

    examples = ("duckdb: {query: select * from 'part-*.parquet' order by id, target: price}",)

    file: FilePath | None = None
    """Path of a database of DuckDB, which is only read. Without it, the query names files."""
    folder: Folder = Field(default=Path(), validate_default=True)
    """Folder of the files that the query names. The default is the folder of the config."""

    @property
    def database(self) -> Database:
        """DuckDB in this process."""
        return Duck(self.file, self.folder)


def query_at(url: str, query: str, target: Sequence[str]) -> QuerySource:
    """Return the rows of a query to the database at a URL. Raises `UserError` for a URL that names no database."""
    if url.startswith(DUCKDB):
        path = path_in(url)
        return DuckDb(query=query, file=Path(path) if path else None, folder=Path(), target=tuple(target))
    return Sql(url=url, query=query, target=tuple(target))
