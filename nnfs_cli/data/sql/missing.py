"""Tell which tables and columns a database has, when a query names one that it lacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from nnfs_cli.system.wording import did_you_mean, listing, named

LISTED = 12  # tables or columns that a message lists, at most
_TABLE = re.compile(r'no such table: (.+)|relation "(.+)" does not exist')
_COLUMN = re.compile(r'no such column: (.+)|column "?(.+?)"? does not exist')

Tables = Mapping[str, list[str]]  # the columns of each table


def what_there_is(why: str, query: str, tables: Callable[[], Tables]) -> str:
    """Return a clause with the tables or columns that there are, if a query failed because it names another one.

    `why` is the message of SQLite or PostgreSQL; for any other message the clause is empty.
    """
    if found := _TABLE.search(why):
        known = tables()
        return _meant(found[1] or found[2], known, "the database has") if known else "; the database has no tables"
    if found := _COLUMN.search(why):
        known = tables()
        used = [name for name in known if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", query, re.IGNORECASE)]
        columns = dict.fromkeys(column for name in used for column in known[name])
        of = f"{listing(map(named, used))} {'has' if len(used) == 1 else 'have'}"
        return _meant((found[1] or found[2]).rpartition(".")[2].strip('"'), columns, of) if columns else ""
    return ""


def by_table(rows: Iterable[tuple[str, str]]) -> Tables:
    """Return the columns of each table, for pairs of a table and a column."""
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(table, []).append(column)
    return found


def _meant(name: str, known: Iterable[str], of: str) -> str:
    names = [*known]
    more = [f"{len(names) - LISTED:,} more"] if len(names) > LISTED else []
    return did_you_mean(name, names) or f"; {of} {listing([*map(named, names[:LISTED]), *more])}"
