"""PostgreSQL, read and written by its driver for ADBC (Arrow Database Connectivity), which uses libpq."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from nnfs_cli.data.arrow_rows import BATCH_ROWS
from nnfs_cli.data.sql.database import Database
from nnfs_cli.data.sql.missing import Tables, by_table, what_there_is
from nnfs_cli.errors import DataError, UserError
from nnfs_cli.system.extras import needed
from nnfs_cli.system.secrets import filled, without_secrets

CONNECT_SECONDS = 10
REFUSED = ("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry")
UNREACHED = ("08", "57P", "53")  # the first characters of SQLSTATE: connection lost, server shut down, server full


class PostgreSql(Database):
    """A PostgreSQL server. What the URL leaves out, libpq takes from PG* variables and .pgpass."""

    def rows(self, query: str) -> Iterator[Any]:
        """Yield the rows of a query, in a transaction that can only read."""
        with needed("sql", "PostgreSQL"):
            import adbc_driver_manager as adbc
        import pyarrow as pa

        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute("set transaction read only")
            try:
                cursor.execute(query)
            except adbc.Error as error:
                connection.rollback()
                there_is = what_there_is(str(error), query, lambda: _tables(cursor))
                raise DataError(f"{self._plain(error, unreached=False)}{there_is}") if there_is else error from None
            for batch in cursor.fetch_record_batch():
                table = _with_numbers(pa.Table.from_batches([batch]))
                for start in range(0, max(table.num_rows, 1), BATCH_ROWS):
                    yield table.slice(start, BATCH_ROWS)

    def append(self, table: str, blocks: Iterable[Any]) -> None:
        """Add tables of Arrow to a table with COPY, in one transaction."""
        schema, _, name = table.rpartition(".") if table.count(".") == 1 else ("", "", table)
        with self._connected() as connection, connection.cursor() as cursor:
            for block in blocks:
                cursor.adbc_ingest(name, block, mode="create_append", db_schema_name=schema or None)
            connection.commit()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        with needed("sql", "PostgreSQL"):
            import adbc_driver_manager as adbc
            from adbc_driver_postgresql import dbapi
        import pyarrow as pa

        try:
            with dbapi.connect(self._address()) as connection:
                yield connection
        except adbc.Error as error:
            raise self._plain(error, error.status_code == adbc.AdbcStatusCode.IO, error.sqlstate or "") from None
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise self._plain(error, "terminat" in str(error) or "connection" in str(error)) from None

    def _address(self) -> str:
        address = filled(self.url)
        if "connect_timeout=" in address or "PGCONNECT_TIMEOUT" in os.environ:
            return address
        return f"{address}{'&' if '?' in address else '?'}connect_timeout={CONNECT_SECONDS}"

    def _plain(self, error: Exception, unreached: bool, sqlstate: str = "") -> Exception:
        """Return the error of nnfs, in one line and without passwords."""
        text = without_secrets(str(error), self.url)
        patterns = (r"(?:ERROR|FATAL|PANIC): +(.+)", r".*failed: +(.+)", r"\[libpq\] +(.+)")
        found = next(filter(None, (re.search(pattern, text) for pattern in patterns)), None)
        why = found[1] if found else next(iter(text.splitlines()), "unknown")
        why = re.sub(r"\.? ?SQLSTATE: .*", "", why).strip()
        if sqlstate.startswith(UNREACHED) or (unreached and not any(words in why for words in REFUSED)):
            return OSError(errno.EIO, f"the server cannot be reached: {why}", self.url)
        if unreached:
            return UserError(f"{self.url} refuses the connection: {why}")
        return DataError(f"{self.url} cannot run this: {why}")


def _tables(cursor: Any) -> Tables:
    """Return the columns of the tables that the user may read; those outside of `public` with their schema."""
    cursor.execute(
        "select case table_schema when 'public' then '' else table_schema || '.' end || table_name, column_name"
        " from information_schema.columns where table_schema not in ('pg_catalog', 'information_schema')"
        " order by table_schema, table_name, ordinal_position"
    )
    return by_table(cursor.fetchall())


def _with_numbers(table: Any) -> Any:
    """Return the table with columns of the type numeric as floats; they come as texts of an extension type."""
    import pyarrow as pa

    for i, field in enumerate(table.schema):
        if (field.metadata or {}).get(b"ADBC:postgresql:typname") == b"numeric":
            column = table.column(i)
            texts = pa.chunked_array([getattr(chunk, "storage", chunk) for chunk in column.chunks], pa.string())
            table = table.set_column(i, field.name, texts.cast(pa.float64()))
    return table
