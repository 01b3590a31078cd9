"""What the columns of a table seem to be: numbers, words, dates, or nothing to learn from.

A column is judged by its cells, and where these leave it open, by its name: whole numbers are codes, and no quantity,
where they are written with zeros before them (0815) or are called a code, an id or a zip. All other whole numbers stay
numbers, however few there are, for numbers keep the order that words lose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import GROUPED, Kind, Table, gaps_of, is_number
from nnfs_cli.data.texts import Texts
from nnfs_cli.system.wording import counted, shown

Nature = Literal["number", "boolean", "category", "date", "text", "identifier", "constant", "empty"]

NOTHING = frozenset(
    ("na", "n/a", "#n/a", "#na", "nan", "null", "nil", "none", "missing", "unknown", "?", "-", "--", "---", ".", "*")
)  # what people write for no number, in small letters
CODES = frozenset(("code", "id", "zip", "zipcode", "postcode", "postal", "plz", "type", "kind", "category", "cluster"))
IDS = frozenset(("id", "ids", "uid", "uuid", "guid", "key", "index", "idx", "row", "nr", "number", *CODES))
FEW = 10  # different words that are never too many

SLIPS = 5  # different cells among numbers that may be taken for slips of the pen
LONG = 40  # characters on average that make a free text
DATE = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T].*)?|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?")


@dataclass(frozen=True)
class Look:
    """What a column seems to be, and what it would be taken for, which `kind` says.

    `different` counts its values, gaps aside. `why` is half a sentence on why it is no input, where it is none. `nulls`
    are the words among its numbers or dates that stand for no value, and `odd` those of them that look like slips of
    the pen, of which `why` tells; `coded` says that its whole numbers are names, and `largest` how large its numbers
    are at most, whatever their sign.
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

    @property
    def usable(self) -> bool:
        """Whether it can be learned from."""
        return self.nature in ("number", "boolean", "category", "date")

    @property
    def share_missing(self) -> float:
        """Of the cells, those that are empty."""
        return self.missing / max(self.rows, 1)


def look_at(table: Table, codes: frozenset[str] = frozenset()) -> dict[str, Look]:
    """Every column that could be read, by name; of `codes` it is known that their whole numbers are names."""
    return {name: look(table, name, code=name in codes) for name in table.columns}


def look(table: Table, name: str, *, code: bool = False) -> Look:
    """Look at one column; `code` says that its whole numbers are known to be names of something."""
    column = table.column(name)
    gaps = gaps_of(column)
    values = column.codes[~gaps] if isinstance(column, Texts) else column[~gaps]
    present = np.unique(values)
    base = Look(name, "number", table.kind(name), len(gaps), int(gaps.sum()), len(present))
    if not len(present):
        return replace(base, nature="empty", why="is empty")
    if len(present) == 1 and not base.missing:
        value = column.at(0) if isinstance(column, Texts) else column[0]
        return replace(base, nature="constant", why=f"is always {_shown(value)}")
    if isinstance(column, Texts):
        return _words(base, table, [str(word) for word in column.distinct[present]])
    if column.dtype.kind in "Mb":
        return replace(base, nature="date" if column.dtype.kind == "M" else "boolean")
    if np.isinf(values).any():
        return _infinite(base, table, column)
    return _numbers(replace(base, largest=float(np.abs(values.astype(np.float64)).max())), values, code)


def is_whole(values: Array) -> bool:
    """Whether all of these numbers, without gaps, are whole."""
    return values.dtype.kind in "iu" or bool(np.isfinite(values).all() and (values == np.rint(values)).all())


def words_of(name: str) -> list[str]:
    """The words that the name of a column is made of, in small letters: ``customerId`` -> customer, id."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]


def _shown(value: object) -> str:
    return shown(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value).lower()


def _numbers(base: Look, values: Array, code: bool) -> Look:
    if not is_whole(values):
        return base
    name, n = set(words_of(base.name)[-1:]), len(values)
    if base.different == n > FEW:
        running = values[0] in (0, 1) and bool((np.diff(values) == 1).all())
        if running or code or name & IDS:
            why = "counts the rows" if running else "is different in every row"
            named = not running and (code or bool(name & CODES))
            return replace(base, nature="identifier", why=why, coded=named)
    if code or (base.different > 2 and name & CODES):
        if base.different > max(n / 2, FEW):
            return replace(base, nature="identifier", why=_too_many(base, "code"), coded=True)
        return replace(base, nature="category", kind="category", coded=True)
    return base


def _infinite(base: Look, table: Table, column: Array) -> Look:
    """A column with what is no finite number: NaN, which stands for no value, or an infinity."""
    place, found = table.locate(int(np.argmax(np.isinf(column))), base.name)
    if found.strip().lower() in NOTHING:
        return replace(base, nulls=(found.strip(),))
    return replace(base, nature="text", why=f"holds {shown(found)} in {place}, which is no finite number")


def _words(base: Look, table: Table, words: list[str]) -> Look:
    others, kind = _not_in_kind(words, table.decimal)
    odd = [word for word in others if word.strip().lower() not in NOTHING]
    if kind and not odd:
        return replace(base, nature=kind, kind=kind, nulls=tuple(others))
    there = base.rows - base.missing
    if why := _grouped(words, table.decimal):
        return replace(base, nature="text", why=why)
    if base.different > FEW:
        if kind == "number" and (why := _nearly_numbers(table, base.name, odd, there)):
            if len(odd) <= SLIPS:
                return replace(base, nature=kind, kind=kind, nulls=tuple(others), odd=tuple(odd), why=why)
            return replace(base, nature="text", why=why)
        if why := _foreign_dates(words):
            return replace(base, nature="text", why=why)
        length = sum(map(len, words)) / len(words)
        if base.different > there / 2:
            why = "is different in every row" if base.different == there else _too_many(base, "word")
            named = base.different == there and length < LONG and sum(word.count(" ") for word in words) < len(words)
            return replace(base, nature="identifier" if named else "text", why=why)
        if length > LONG:
            return replace(base, nature="text", why=f"holds free text, {length:.0f} characters on average")
    return replace(base, nature="category")


def _too_many(base: Look, noun: str) -> str:
    return f"holds {counted(base.different, f'different {noun}')} in {counted(base.rows - base.missing, 'row')}"


def _not_in_kind(words: list[str], decimal: str) -> tuple[list[str], Literal["number", "date"] | None]:
    """The words that are no numbers, where at least two are, or no dates likewise; and which of both it is."""
    others = [word for word in words if not is_number(word, decimal)]
    if len(words) - len(others) >= 2:
        return others, "number"
    others = [word for word in words if not ISO.fullmatch(word.strip())]
    return (others, "date") if len(words) - len(others) >= 2 else (words, None)


def _nearly_numbers(table: Table, name: str, odd: list[str], there: int) -> str:
    """Half a sentence where all but a few cells hold numbers, or words for nothing."""
    texts = table.texts(name)
    is_odd = np.array([word in set(odd) for word in texts.distinct] + [False])[texts.codes]
    n = int(is_odd.sum())
    if n >= 0.1 * there:
        return ""
    place, found = table.locate(int(np.argmax(is_odd)), name)
    which = f"{shown(found)} in {place}" if n == 1 else f"such as {shown(found)} in {place}"
    return f"holds numbers, but for {counted(n, 'cell')} of {there:,}, {which}"


def _grouped(words: list[str], decimal: str) -> str:
    """Half a sentence where all cells hold numbers, some of them with marks between thousands."""
    with_marks = [word for word in words if GROUPED.fullmatch(word.strip())]
    if not with_marks or any(word not in with_marks and not is_number(word, decimal) for word in words):
        return ""
    return f"holds numbers with a mark between thousands, such as {shown(with_marks[0])}; they are read without one"


def _foreign_dates(words: list[str]) -> str:
    """Half a sentence where all cells hold dates or times that are not read as such."""
    if not all(DATE.fullmatch(word.strip()) for word in words):
        return ""
    return f"holds dates or times such as {shown(words[0])}; dates are read where they are written as in 2026-01-31"
