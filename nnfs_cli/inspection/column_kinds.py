"""Decide what each column of a table holds: numbers, categories, dates, or nothing a net can learn from.

The cells decide first, then the name of the column: whole numbers are codes, not quantities, if they have leading
zeros (0815) or if the column is called a code, an id or a zip. All other whole numbers stay numbers, however few
different ones there are, because numbers keep an order that categories lose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import is_date
from nnfs_cli.data.numbers import is_number
from nnfs_cli.data.table import MEANT_AS_GAPS, Kind, Table, gaps_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.inspection.lists import Lists, lists_in
from nnfs_cli.system.wording import counted, shown

Nature = Literal["number", "boolean", "category", "date", "text", "identifier", "constant", "empty"]

CODES = frozenset(("code", "id", "zip", "zipcode", "postcode", "postal", "plz", "type", "kind", "category", "cluster"))
IDS = frozenset(("id", "ids", "uid", "uuid", "guid", "key", "index", "idx", "row", "nr", "number", *CODES))
FEW = 10  # number of categories that is never too many
MAX_TYPOS = 5  # different cells in a column of numbers that may be typing errors
LONG = 40  # average number of characters from which a column is free text
FREE_TEXT = "holds free text"
FREE = 3  # average number of blanks from which it is
ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?")


@dataclass(frozen=True)
class ColumnProfile:
    """What a column holds (`nature`), and the kind it is read as (`kind`).

    `different` counts the different values without missing ones. `why` gives the reason if the column is not an input.
    `nulls` are the spellings of a missing value among numbers or dates; `odd` are the spellings that look like typing
    errors, which `why` describes. `coded` is true for whole numbers that are codes, not quantities. `largest` is the
    largest absolute value of a number. `as_texts` is true for dates that a source with types holds as texts. `lists`
    describes the lists in the cells, if they are lists.
    """

    name: str
    nature: Nature
    kind: Kind
    rows: int
    missing: int
    different: int
    why: str = ""
    nulls: tuple[str, ...] = ()
    coded: bool = False
    largest: float = 0.0
    odd: tuple[str, ...] = ()
    as_texts: bool = False
    lists: Lists | None = None

    @property
    def usable(self) -> bool:
        """Whether a net can learn from the column."""
        return self.nature in ("number", "boolean", "category", "date")

    @property
    def is_free_text(self) -> bool:
        """Whether the cells hold sentences, which no step reads."""
        return self.nature == "text" and self.why.startswith(FREE_TEXT)

    @property
    def share_missing(self) -> float:
        """The fraction of empty cells."""
        return self.missing / max(self.rows, 1)


def profile_columns(
    table: Table, codes: frozenset[str] = frozenset(), *, typed: bool = False
) -> dict[str, ColumnProfile]:
    """Profile every readable column, by name. The columns in `codes` hold codes or categories, not quantities.

    `typed` is true if the source has types, so that a column of texts is read as texts whatever they look like.
    """
    return {name: profile_column(table, name, code=name in codes, typed=typed) for name in table.columns}


def profile_column(table: Table, name: str, *, code: bool = False, typed: bool = False) -> ColumnProfile:
    """Profile one column. `code` is true if its whole numbers are codes, not quantities; see `profile_columns`."""
    column = table.column(name)
    gaps = gaps_of(column)
    values = column.codes[~gaps] if isinstance(column, Texts) else column[~gaps]
    present = np.unique(values)
    base = ColumnProfile(name, "number", table.kind(name), len(gaps), int(gaps.sum()), len(present))
    if not len(present):
        return replace(base, nature="empty", why="is empty")
    if len(present) == 1 and not base.missing:
        value = column.at(0) if isinstance(column, Texts) else column[0]
        return replace(base, nature="constant", why=f"is always {_shown(value)}")
    if isinstance(column, Texts):
        return _texts(base, table, [str(text) for text in column.distinct[present]], typed, typed and code)
    if column.dtype.kind in "Mb":
        return replace(base, nature="date" if column.dtype.kind == "M" else "boolean")
    if np.isinf(values).any():
        return _infinite(base, table, column)
    return _numbers(replace(base, largest=float(np.abs(values.astype(np.float64)).max())), values, code)


def is_whole(values: Array) -> bool:
    """Return whether all of these numbers (none missing) are whole."""
    return values.dtype.kind in "iu" or bool(np.isfinite(values).all() and (values == np.rint(values)).all())


def words_of(name: str) -> list[str]:
    """Split the name of a column into its words, in lower case: ``customerId`` -> customer, id."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]


def _shown(value: object) -> str:
    return shown(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value).lower()


def _numbers(base: ColumnProfile, values: Array, code: bool) -> ColumnProfile:
    if not is_whole(values):
        return base
    name, n = set(words_of(base.name)[-1:]), len(values)
    if base.different == n > FEW:
        counter = values[0] in (0, 1) and bool((np.diff(values) == 1).all())
        if counter or code or name & IDS:
            why = "numbers the rows" if counter else "is different in every row"
            named = not counter and (code or bool(name & CODES))
            return replace(base, nature="identifier", why=why, coded=named)
    if code or (base.different > 2 and name & CODES):
        if base.different > max(n / 2, FEW):
            return replace(base, nature="identifier", why=_too_many(base, "code"), coded=True)
        return replace(base, nature="category", kind="category", coded=True)
    return base


def _infinite(base: ColumnProfile, table: Table, column: Array) -> ColumnProfile:
    """Profile a column with infinite values: a spelling of NaN, or an infinity."""
    place, found = table.locate(int(np.argmax(np.isinf(column))), base.name)
    if found.strip().lower() in MEANT_AS_GAPS:
        return replace(base, nulls=(found.strip(),))
    return replace(base, nature="text", why=f"holds {shown(found)} in {place}, which is not a finite number")


def _texts(base: ColumnProfile, table: Table, texts: list[str], typed: bool, categories: bool) -> ColumnProfile:
    others, kind = (texts, None) if categories else _exceptions(texts, table.decimal)
    odd = [text for text in others if text.strip().lower() not in MEANT_AS_GAPS]
    if kind and not odd and typed:
        return _numbers_or_dates_as_texts(base, texts, kind, others)
    if kind and not odd:
        return replace(base, nature=kind, kind=kind, nulls=tuple(others))
    n_present = base.rows - base.missing
    if not categories and (lists := lists_in(table.texts(base.name))):
        return replace(base, nature="category", lists=lists)
    if base.different > FEW:
        if kind == "number" and (why := _nearly_numbers(table, base.name, odd, n_present)):
            if len(odd) <= MAX_TYPOS and not typed:
                return replace(base, nature=kind, kind=kind, nulls=tuple(others), odd=tuple(odd), why=why)
            return replace(base, nature="text", why=why)
        length = sum(map(len, texts)) / len(texts)
        n_blanks = sum(text.count(" ") for text in texts)
        free_text = f"{FREE_TEXT}, {length:.0f} characters on average"
        if length > LONG or n_blanks > FREE * len(texts):
            return replace(base, nature="text", why=free_text)
        if base.different > n_present / 2:
            why = "is different in every row" if base.different == n_present else _too_many(base, "category")
            named = base.different == n_present and n_blanks < len(texts)
            return replace(base, nature="identifier" if named else "text", why=why)
    return replace(base, nature="category")


def _numbers_or_dates_as_texts(
    base: ColumnProfile, texts: list[str], kind: Literal["number", "date"], others: list[str]
) -> ColumnProfile:
    """Profile texts, in a source with types, that hold numbers or dates, besides `others` that mean a missing value."""
    if kind == "date" and not others and all(map(is_date, texts)):
        return replace(base, nature="date", kind="date", as_texts=True)
    if all(text.strip().isdecimal() for text in texts if text not in others):
        n_present = base.rows - base.missing
        if base.different > max(n_present / 2, FEW):
            why = "is different in every row" if base.different == n_present else _too_many(base, "code")
            return replace(base, nature="identifier", why=why, coded=True)
        return replace(base, nature="category", coded=True)
    if base.different <= FEW:
        return replace(base, nature="category")
    example = next(text for text in texts if text not in others)
    return replace(base, nature="text", why=f"holds {kind}s as texts, such as {shown(example)}; convert them")


def _too_many(base: ColumnProfile, noun: str) -> str:
    return f"holds {counted(base.different, f'different {noun}')} in {counted(base.rows - base.missing, 'row')}"


def _exceptions(texts: list[str], decimal: str) -> tuple[list[str], Literal["number", "date"] | None]:
    """Return the texts that are no numbers and "number" if at least two are; else likewise for dates."""
    others = [text for text in texts if not is_number(text, decimal)]
    if len(texts) - len(others) >= 2:
        return others, "number"
    others = [text for text in texts if not ISO.fullmatch(text.strip())]
    return (others, "date") if len(texts) - len(others) >= 2 else (texts, None)


def _nearly_numbers(table: Table, name: str, odd: list[str], n_present: int) -> str:
    """Return a clause if all but a few cells hold numbers or a spelling of a missing value, or else an empty string."""
    texts = table.texts(name)
    is_odd = np.array([text in set(odd) for text in texts.distinct] + [False])[texts.codes]
    n = int(is_odd.sum())
    if n >= 0.1 * n_present:
        return ""
    place, found = table.locate(int(np.argmax(is_odd)), name)
    which = f"{shown(found)} in {place}" if n == 1 else f"such as {shown(found)} in {place}"
    return f"holds numbers except in {counted(n, 'cell')} of {n_present:,}, {which}"
