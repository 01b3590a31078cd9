"""The rows that training leaves out: those with an empty target, or with any fault that would stop it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from copy import copy
from typing import Any, Self

import numpy as np

from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.numbers import is_number
from nnfs_cli.data.table import SKIP, Kind, Table, gaps_of
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import named

PLACE = re.compile(r"^.*?, (line|row) [0-9,]+: ")  # at the beginning of a message about a cell


class LeftOut:
    """A rule for the rows of a table that are left out, and the count of those by reason.

    `needed` maps the columns in which no cell may be empty to what messages call them, such as "the target". With
    `faults`, rows with a cell that does not fit its column, or with too few or too many cells, are left out, too.
    """

    def __init__(self, needed: Mapping[str, str], faults: bool) -> None:
        self.needed, self.faults = needed, faults
        self.rows = self.of = 0
        self.reasons = Counter[str]()
        self.first = ""  # what is wrong with the first of them

    def __bool__(self) -> bool:
        """Return whether any row may be left out."""
        return bool(self.needed) or self.faults

    def kept(self, table: Table, count: bool = False) -> Table:
        """Return the table without the rows to leave out; `count` them if they have not been counted before."""
        wrong = np.zeros(table.n_rows, bool)
        wrong[list(table.faults)] = True
        found = Counter(map(reason, table.faults.values()))
        firsts = dict(list(table.faults.items())[:1])
        for name, what in self.needed.items():
            empty = gaps_of(table.stored(name)) & ~wrong if name in table.columns else wrong[:0]
            if empty.any():
                row = int(np.argmax(empty))
                firsts.setdefault(row, str(table.error(row, name, "", what)))
                found[f"{what} {named(name)} is empty"] += int(empty.sum())
                wrong |= empty
        if count:
            self.of += table.n_rows
            self.rows += int(wrong.sum())
            self.reasons += found
            self.first = self.first or (without_advice(firsts[min(firsts)]) if firsts else "")
        return table.take(~wrong) if wrong.any() else table

    def with_more(self, reasons: Mapping[str, int], first: str) -> Self:
        """Return the rule with more rows that are left out, counted by reason; `first` says what is wrong with one."""
        more = copy(self)
        more.rows, more.reasons = self.rows + sum(reasons.values()), self.reasons + Counter(reasons)
        more.first = self.first or first
        return more

    def warn(self) -> None:
        """Say how many rows were left out, and why."""
        if self.rows:
            warn(f"{sentence(self.plain())}; the first: {self.first}")

    def plain(self) -> dict[str, Any]:
        """Return the counts for the record of a run."""
        return {"rows": self.rows, "of": self.of, "reasons": dict(self.reasons.most_common())}


def sentence(left_out: Mapping[str, Any]) -> str:
    """Return the counts of a record in words: "2 of 90 rows are left out (the target 'y' is empty: 2)"."""
    rows, are = "row" if left_out["of"] == 1 else "rows", "is" if left_out["rows"] == 1 else "are"
    why = "; ".join(f"{reason}: {n:,}" for reason, n in left_out["reasons"].items())
    return f"{left_out['rows']:,} of {left_out['of']:,} {rows} {are} left out ({why})"


def kinds_of_most(source: ColumnSource, given: Mapping[str, Kind]) -> dict[str, Kind]:
    """Return the kinds of the columns, where a column is of numbers if most of its first cells are.

    A column that the source declares as texts holds codes if all of its texts look like numbers.
    """
    kinds, texts = source.kinds(given), source.declared_texts()
    first = next(source.chunks(kinds, faults=True))
    numbers = (
        name
        for name, kind in kinds.items()
        if kind == "category" and name not in given and first.is_mostly_numbers(name)
        if name not in texts or not all(map(is_number, first.texts(name).distinct))
    )
    return {**kinds, **dict.fromkeys(numbers, "number")}


def without_advice(message: str) -> str:
    """Return a message about a cell without the advice to skip its row."""
    for advice in SKIP:
        message = message.removesuffix(advice)
    return message


def reason(message: str) -> str:
    """Return a message about a cell without the place and the text of the cell."""
    return re.split(r", found |, as in |, such as |; ", PLACE.sub("", message))[0]
