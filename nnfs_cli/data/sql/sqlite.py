"""SQLite, read and written by Python's own `sqlite3`."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnfs_cli.data.arrow_rows import BATCH_ROWS
from nnfs_cli.data.file_source import check_names
from nnfs_cli.data.python_columns import ColumnError, to_arrow_column
from nnfs_cli.data.sql.database import Database, none_after_error, quoted, quoted_table
from nnfs_cli.data.sql.missing import Tables, by_table, what_there_is
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import named

if TYPE_CHECKING:
    import sqlite3

SECONDS = 10  # to wait for another process that writes to the database
BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")


class Sqlite(Database):
    """A database in one file. Its cells, not its columns, have types; all cells decide the kind of a column."""

    has_dates = False

    @property
    def path(self) -> Path:
        """The path of the file."""
        return Path(self.url.removeprefix("sqlite:"))

    def rows(self, query: str) -> Iterator[Any]:
        """Yield the rows of a query from a connection that can only read."""
        import sqlite3

        import pyarrow as pa

        if not self.path.is_file():
            raise DataError(f"there is no file {self.path}")
        with self._connected(f"{self.path.absolute().as_uri()}?mode=ro") as connection:
            connection.set_authorizer(_without_files)
            try:
                cursor = connection.execute(query)
            except sqlite3.OperationalError as error:
                there_is = what_there_is(str(error), query, lambda: _tables(connection))
                raise DataError(f"{self.path.name} cannot run this: {error}{there_is}") if there_is else error from None
            names = [about[0] for about in cursor.description or ()]
            check_names(names, "the query")
            rows = cursor.fetchmany(BATCH_ROWS)
            yield pa.table({name: pa.nulls(0) for name in names})
            while rows:
                cells = zip(*rows, strict=True)
                yield pa.table({name: _column(name, one) for name, one in zip(names, cells, strict=True)})
                rows = cursor.fetchmany(BATCH_ROWS)

    def append(self, table: str, blocks: Iterable[Any]) -> None:
        """Add tables of Arrow to a table, in one transaction."""
        with none_after_error(self.path), self._connected(self.path.absolute().as_uri()) as connection:
            connection.execute("begin immediate")
            for block in blocks:
                columns = ", ".join(f"{quoted(field.name)} {_type(field.type)}" for field in block.schema)
                connection.execute(f"create table if not exists {quoted_table(table)} ({columns})")
                names = ", ".join(map(quoted, block.schema.names))
                marks = ", ".join("?" * block.num_columns)
                cells = zip(*(_cells(column) for column in block.columns), strict=True)
                connection.executemany(f"insert into {quoted_table(table)} ({names}) values ({marks})", cells)  # noqa: S608
            connection.execute("commit")

    @contextlib.contextmanager
    def _connected(self, uri: str) -> Iterator[sqlite3.Connection]:
        import sqlite3

        try:
            with contextlib.closing(sqlite3.connect(uri, SECONDS, uri=True, isolation_level=None)) as connection:
                yield connection
        except OverflowError:
            raise DataError(f"{self.path.name} cannot hold whole numbers of more than 63 bits") from None
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "").startswith(BUSY):
                more = "; another program is writing to it, so try again later" if "locked" in str(error) else ""
                raise OSError(errno.EIO, f"{error}{more}", str(self.path)) from None
            raise DataError(f"{self.path.name} cannot run this: {error}") from None


def _tables(connection: sqlite3.Connection) -> Tables:
    columns = "select m.name, c.name from sqlite_master as m, pragma_table_info(m.name) as c order by m.name, c.cid"
    return by_table(connection.execute(columns))


def _without_files(action: int, *_: str | None) -> int:
    """Deny what opens another file, as `vacuum into` does, which creates one."""
    import sqlite3

    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK


def _column(name: str, cells: Any) -> Any:
    try:
        return to_arrow_column([*cells])
    except ColumnError as error:
        raise DataError(f"the query: column {named(name)}{error}") from None


def _type(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return "integer"
    return "real" if pa.types.is_floating(kind) else "text"


def _cells(column: Any) -> list[Any]:
    """Return cells that SQLite takes: numbers and texts, with dates as texts."""
    from nnfs_cli.data.table import text_of

    plain = (int, float, str, bytes, type(None))
    return [cell if isinstance(cell, plain) else text_of(cell) for cell in column.to_pylist()]
