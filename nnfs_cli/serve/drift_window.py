"""How far the newest rows have moved from the training rows, by column."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from nnfs_cli.data.drift import Drift, DriftRow
from nnfs_cli.data.table import Column, Table, concatenate_columns
from nnfs_cli.data.texts import Texts
from nnfs_cli.serve.rows import BODY

ROWS = 10_000  # that are looked at
PIECES = 256  # tables that are kept before they are joined to one
LONGEST = 1_000  # characters of a text that are kept: a longer one is as new when it is cut


class DriftWindow:
    """The newest rows that were predicted. Adding is cheap; the comparison is made when it is asked for.

    `inputs` describes the columns of the training rows, as a run records them. Any number of threads may add rows.
    """

    def __init__(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        self._inputs, self._names = inputs, [profile["name"] for profile in inputs]
        self._tables: list[Mapping[str, Column]] = []
        self._rows = 0  # in all tables
        self._lock = threading.Lock()

    def add(self, table: Table) -> None:
        """Add rows; the oldest leave when there are too many."""
        newest = {name: _short(table.columns[name][-ROWS:]) for name in self._names}
        with self._lock:
            self._tables.append(newest)
            self._rows += min(table.n_rows, ROWS)
            if len(self._tables) >= PIECES or self._rows >= 2 * ROWS:
                self._join()

    def report(self) -> tuple[int, list[DriftRow]]:
        """Return the number of rows, and the drift of each column; none if there are no rows."""
        with self._lock:
            if not self._rows:
                return 0, []
            self._join()
            table = Table(BODY, self._tables[0])
        drift = Drift(self._inputs)
        drift.add(table)
        return table.n_rows, drift.report()

    def _join(self) -> None:
        """Keep one table with copies of the newest rows."""
        parts = {name: [table[name] for table in self._tables] for name in self._names}
        self._tables = [{name: _copy(concatenate_columns(each)[-ROWS:]) for name, each in parts.items()}]
        self._rows = min(self._rows, ROWS)


def _copy(column: Column) -> Column:
    """Return a copy of some rows of a column that keeps nothing of the other rows."""
    return Texts.of(column.tolist()) if isinstance(column, Texts) else column.copy()


def _short(column: Column) -> Column:
    if isinstance(column, Texts) and any(len(text) > LONGEST for text in column.distinct):
        return Texts.of(text and text[:LONGEST] for text in column.tolist())
    return column
