"""DuckDB, which also queries files of many kinds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nnfs_cli.data.arrow_rows import BATCH_ROWS
from nnfs_cli.data.sql.database import Database, none_after_error, quoted_table
from nnfs_cli.errors import DataError
from nnfs_cli.system.extras import needed


class Duck(Database):
    """DuckDB in this process. Files that a query names are relative to a folder."""

    def __init__(self, database: Path | None, folder: Path) -> None:
        """Open a database in a file, or an empty one in memory."""
        super().__init__(f"duckdb:{database or ''}")
        self.database, self.folder = database, folder

    def rows(self, query: str) -> Iterator[Any]:
        """Yield the rows of a query. Raises `DataError` for a statement that is not a query."""
        import pyarrow as pa

        if self.database is not None and not self.database.is_file():
            raise DataError(f"there is no file {self.database}")
        with self._connected(read_only=self.database is not None) as connection:
            statements = connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type.name != "SELECT":
                raise DataError(
                    "the query must be one select statement: it reads tables and files, and changes nothing"
                )
            for batch in connection.sql(query).to_arrow_reader(BATCH_ROWS):
                yield pa.Table.from_batches([batch])

    def append(self, table: str, blocks: Iterable[Any]) -> None:
        """Add tables of Arrow to a table, in one transaction."""
        name = quoted_table(table)
        with none_after_error(self.database), self._connected() as connection:
            connection.begin()
            for block in blocks:
                connection.register("block_of_predictions", block)
                connection.execute(f"create table if not exists {name} as from block_of_predictions limit 0")
                connection.execute(f"insert into {name} by name from block_of_predictions")
                connection.unregister("block_of_predictions")
            connection.commit()

    @contextlib.contextmanager
    def _connected(self, read_only: bool = False) -> Iterator[Any]:
        with needed("duckdb", "DuckDB"):
            import duckdb

        try:
            database = ":memory:" if self.database is None else str(self.database)
            with contextlib.closing(duckdb.connect(database, read_only=read_only)) as connection:
                connection.execute("set enable_progress_bar = false; set timezone = 'UTC'")
                connection.execute("set file_search_path = $1", [str(self.folder)])
                yield connection
        except duckdb.Error as error:
            why, *more = str(error).splitlines()
            hint = next((line for line in more if line.startswith(("Did you mean", "Candidate bindings: "))), "")
            hint = hint.replace("Candidate bindings:", "there are the columns").replace("Did", "did")
            raise DataError(f"DuckDB cannot run this: {why.rstrip('!')}{hint and '; '}{hint}") from None
