"""The base class of databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar


class Database:
    """A database that answers queries with tables of Arrow. `url` names it in messages."""

    has_dates: ClassVar[bool] = True  # whether its columns can be of dates, so that texts are texts

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


def quoted(name: str) -> str:
    """Return a name in the quotes of SQL."""
    return '"' + name.replace('"', '""') + '"'


def quoted_table(name: str) -> str:
    """Return the name of a table in the quotes of SQL; one dot divides schema and table, as in public.sales."""
    return ".".join(map(quoted, name.split("."))) if name.count(".") == 1 else quoted(name)
