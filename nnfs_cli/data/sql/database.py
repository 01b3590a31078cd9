"""The base class of databases."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar


class Database:
    """A database that answers queries with tables of Arrow. `url` names it in messages."""

    has_dates: ClassVar[bool] = True  # whether a column can be of dates, so that columns of texts never are

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, query: str) -> Iterator[Any]:
        """Yield the rows of a query in their order, as tables of Arrow. The query cannot change anything.

        Raises `UserError` for a query or a password that the database refuses, `OSError` if it cannot be reached.
        """
        raise NotImplementedError

    def append(self, table: str, blocks: Iterable[Any]) -> None:
        """Add tables of Arrow to a table, all or none. A table that does not exist is created, and appears with them.

        Raises the same errors as `rows`; an error of `blocks` leaves the database as it was.
        """
        raise NotImplementedError


@contextlib.contextmanager
def none_after_error(path: Path | None) -> Iterator[None]:
    """Remove the file of a database after an error if it was not there before."""
    was_there = path is None or path.exists()
    try:
        yield
    except BaseException:
        if path is not None and not was_there:
            path.unlink(missing_ok=True)
        raise


def quoted(name: str) -> str:
    """Return a name in the quotes of SQL."""
    return '"' + name.replace('"', '""') + '"'


def quoted_table(name: str) -> str:
    """Return the name of a table in the quotes of SQL; one dot divides schema and table, as in public.sales."""
    return ".".join(map(quoted, name.split("."))) if name.count(".") == 1 else quoted(name)
