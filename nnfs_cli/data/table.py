"""A table as it was read: named columns, before any preprocessing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import DATES, ZONED, concatenate_dates, hint_about, is_date, parse_dates, utc
from nnfs_cli.data.numbers import GROUPED, is_number, looks_like_number
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import ColumnProblem, DataError
from nnfs_cli.system.wording import closest, counted, did_you_mean, listing, named, shown

# How the cells of a column are read. What is "stored" is read as it is, for a parser: texts, or a type of its own.
Kind = Literal["number", "category", "date", "stored"]
# Numbers (a gap is NaN), booleans, dates (datetime64[us] or `dates.ZONED`, a gap is NaT), or texts.
Column = Array | Texts
Label = str | int | bool
ROWS_AT_ONCE = 65_536  # rows of a table in memory that are processed at a time
_MARKS = {".": "point", ",": "comma"}
_OF_PANDAS = ("interval", "period")  # types that no other library has
MEANT_AS_GAPS = frozenset(
    ("na", "n/a", "#n/a", "#na", "nan", "null", "nil", "none", "missing", "unknown", "?", "-", "--", "---", ".", "*")
)  # what people write for a missing value, in lower case
SKIP = ("; --on-error skip leaves out such rows", "; on_error='skip' leaves out such rows")  # the latter in Python


@dataclass(frozen=True)
class Table:
    """Columns by name, each (rows,), of the types that `Column` lists. A gap is an empty cell.

    `name` is the name of the table in messages, and `sha256` the digest of its content. `classes` are the labels in the
    order of their source, where it has an order. `unreadable` maps a column of any other type to that type, and
    `not_read` names the columns that were skipped. `find` locates the cell of a row (from 0) and a column: it returns
    the place, as in "line 7", and the text there. `kept` are columns that are passed on unchanged, as arrays of Arrow
    or of this table. `faults` maps rows that cannot be used to the reason. `decimal` is the decimal mark of the file.
    `from_python` says that the table was given in Python, where messages advise on a table and not on a file.
    `parsers` have read some of the columns, and `made_empty` counts, by column, the cells that they could not read.
    """

    name: str
    columns: Mapping[str, Column]
    sha256: str = ""
    classes: tuple[Label, ...] | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)
    find: Callable[[int, str], tuple[str, str]] | None = None
    not_read: tuple[str, ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[int, str] = field(default_factory=dict)
    decimal: str = "."
    from_python: bool = False
    parsers: Mapping[str, Any] = field(default_factory=dict)
    made_empty: Counter[str] = field(default_factory=Counter)

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def take(self, rows: Any) -> Table:
        """Return some rows: indices (n,), a slice, or a mask (rows,); without `kept` columns and faults."""

        def find(row: int, name: str) -> tuple[str, str]:
            at = range(self.n_rows)[rows][row] if isinstance(rows, slice) else int(np.arange(self.n_rows)[rows][row])
            return self.locate(at, name)

        columns = {name: column[rows] for name, column in self.columns.items()}
        return replace(self, columns=columns, find=find, kept={}, faults={}, made_empty=Counter())

    def column(self, name: str) -> Column:
        """Return the column of this name, with dates as instants in UTC.

        Raises `DataError` if there is no such column or it cannot be read.
        """
        column = self.stored(name)
        return column if isinstance(column, Texts) else utc(column)

    def stored(self, name: str) -> Column:
        """Return the column of this name as it is stored, which may be dates with local times; see `column`."""
        if name in self.columns:
            return self.columns[name]
        if name in self.unreadable:
            kind = self.unreadable[name]
            if self.from_python and (found := next((one for one in _OF_PANDAS if f"pandas.{one}" in kind), None)):
                remedy = f"holds {found}s (pandas); convert them with .astype(str)"
                raise DataError(f"{self.name}: column {named(name)} {remedy}")
            raise DataError(f"{self.name}: column {named(name)} is {kind}; expected numbers, texts or dates")
        raise DataError(self.no_such_column(name))

    def has(self, name: str) -> bool:
        """Return whether there is a column of this name, of any type and read or not."""
        return name in self.columns or name in self.unreadable or name in self.not_read

    def kind(self, name: str) -> Kind:
        """Return the kind of a column by its type: texts are categories, and booleans count as numbers."""
        column = self.column(name)
        if isinstance(column, Texts):
            return "category"
        return "date" if column.dtype.kind == "M" else "number"

    def no_such_column(self, name: str) -> str:
        """Return the message that there is no such column, with the name that was probably meant."""
        known = map(named, (*self.columns, *self.not_read)[:12])
        hint = did_you_mean(name, (*self.columns, *self.not_read)) or f"; it has {listing(known)}"
        return f"{self.name} has no column {named(name)}{hint}{self.delimiter_hint}"

    @property
    def delimiter_hint(self) -> str:
        """A question about the delimiter if the table seems to have been read with a wrong one, else empty."""
        names = (*self.columns, *self.not_read)
        return ask_delimiter(names)

    def error(self, row: int, name: str, expected: str, what: str = "column", if_empty: str = "") -> DataError:
        """Return the error that the cell of a row (from 0) does not hold what is expected there.

        `if_empty` is a clause about an empty cell: why it cannot be used, and what to do.
        """
        place, found = self.locate(row, name)
        problem = f"should hold {expected}, found {shown(found)}" if found else f"is empty{if_empty and '; '}{if_empty}"
        hint = self._hint(found.strip()) if "numbers" in expected else ""
        if expected == DATES and found:
            hint = hint_about(found.strip()) or SKIP[self.from_python]
        kind: ColumnProblem | None = "not numbers" if expected == "numbers" else None
        return DataError(
            f"{self.name}, {place}: {what} {named(name)} {problem}{hint}", kind if found else "empty cells"
        )

    def _hint(self, found: str) -> str:
        """Return advice for a cell that should hold a number and was probably meant to."""
        other = "," if self.decimal == "." else "."
        if re.fullmatch(rf"[-+]?[0-9]*{re.escape(other)}[0-9]+", found):
            if self.from_python:
                return f"; if it has a decimal {_MARKS[other]}, write a point and convert the column to numbers"
            mark, meant = (_MARKS.get(decimal, decimal) for decimal in (self.decimal, other))
            return f"; numbers have a decimal {mark} here; if the file has a decimal {meant}, set  decimal: '{other}'"
        if GROUPED.fullmatch(found):
            return "; numbers are written without a mark between thousands"
        if found.lower() in MEANT_AS_GAPS:
            meaning = "; if it means an empty cell, "
            return f"{meaning}replace it with None" if self.from_python else f"{meaning}set  null: ['{found}']"
        return ""

    def locate(self, row: int, name: str, number: int | None = None) -> tuple[str, str]:
        """Return the place of the cell of a row (from 0) as a message names it, and the text there.

        Without `find` the place is the row number: `number` (from 0) if the row belongs to some larger table.
        """
        if self.find:
            return self.find(row, name)
        return f"row {1 + (row if number is None else number)}", self.text_of(row, name)

    def text_of(self, row: int, name: str) -> str:
        """Return a cell as the text that a file would hold."""
        column = self.columns[name]
        return column.at(row) if isinstance(column, Texts) else text_of(column[row])

    def numbers(self, name: str, *, gaps: bool = False) -> Array:
        """Return a column as finite float64 numbers, with NaN for empty cells if `gaps` are allowed.

        Raises `DataError` that names the first cell that holds anything else.
        """
        column = self.column(name)
        if isinstance(column, Texts):
            wrong = np.array([not is_number(text, self.decimal) for text in column.distinct] + [not gaps])[column.codes]
            if wrong.any():
                raise self.error(int(np.argmax(wrong)), name, "numbers")
            if column.gaps.all():
                return np.full(len(column), np.nan)
            found = f"{self.name}: column {named(name)} holds texts that look like numbers"
            if self.from_python:
                raise DataError(f"{found}; convert it to numbers", "not numbers")
            raise DataError(f"{found}; save them as numbers")
        if column.dtype.kind == "M":
            if not (gap := np.isnat(column)).all():
                raise self.error(int(np.argmin(gap)), name, "numbers")
            column = np.full(len(column), np.nan)
        numbers = np.asarray(column, np.float64)
        unusable = np.isinf(numbers) if gaps else ~np.isfinite(numbers)
        if unusable.any():
            error = self.error(int(np.argmax(unusable)), name, "finite numbers")
            more = int(unusable.sum()) - 1
            if more:
                raise DataError(f"{error}, as in {counted(more, 'more row')} of {self.n_rows:,}", error.problem)
            raise error
        return numbers

    def is_mostly_numbers(self, name: str) -> bool:
        """Return whether most cells of a column of texts look like numbers, in this notation or another one."""
        texts, other = self.texts(name), "," if self.decimal == "." else "."
        numbers = [is_number(text, self.decimal) or looks_like_number(text, other) for text in texts.distinct]
        looks = np.array([*numbers, False])[texts.codes]
        return bool(2 * looks.sum() > len(texts) - texts.gaps.sum())

    def is_all_dates(self, name: str) -> bool:
        """Return whether every cell of a column of texts that is not empty looks like a date, and there is one."""
        texts = self.texts(name)
        present = texts.distinct[np.unique(texts.codes[~texts.gaps])]
        return len(present) > 0 and all(map(is_date, present))

    def texts(self, name: str) -> Texts:
        """Return a column as texts; numbers and booleans become the texts that a file would hold."""
        column = self.column(name)
        if isinstance(column, Texts):
            return column
        values, codes = np.unique(column, return_inverse=True)
        return Texts.of(text_of(value) or None for value in values.tolist())[codes.reshape(-1)]

    def dates(self, name: str) -> Array:
        """Return a column as instants in UTC, datetime64[us]; see `zoned_dates`."""
        return utc(self.zoned_dates(name))

    def zoned_dates(self, name: str) -> Array:
        """Return a column as dates, datetime64[us] or `dates.ZONED`, with NaT for empty cells.

        Raises `DataError` that names the first cell that holds anything else.
        """
        column = self.stored(name)
        if isinstance(column, Texts):
            dates = parse_dates(column.distinct.tolist())[column.codes]
            wrong = np.isnat(utc(dates)) & ~column.gaps
        elif column.dtype == ZONED:
            return column
        elif column.dtype.kind == "M":
            return column.astype("datetime64[us]", copy=False)
        else:
            wrong = ~gaps_of(column)
            dates = np.full(len(column), np.datetime64("NaT", "us"))
        if wrong.any():
            raise self.error(int(np.argmax(wrong)), name, DATES)
        return dates

    def nearest(self, names: list[str]) -> dict[str, str]:
        """Return the column that was probably meant by each of these unknown names, if there is one."""
        return {name: close for name in names if (close := closest(name, (*self.columns, *self.not_read)))}


def concatenate_tables(parts: Sequence[Table]) -> Table:
    """Return one table with the rows of all parts, in order, and the columns of the first.

    Every part must have these columns. Cells are located in the part that they come from.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    starts = np.cumsum([0, *(part.n_rows for part in parts)])

    def find(row: int, name: str) -> tuple[str, str]:
        i = int(np.searchsorted(starts, row, "right")) - 1
        part, inside = parts[i], row - int(starts[i])
        place, found = part.locate(inside, name, row)
        return place if part.name == first.name else f"{part.name}, {place}", found

    return replace(
        first, columns={name: concatenate_columns([p.stored(name) for p in parts]) for name in first.columns}, find=find
    )


def concatenate_columns(columns: Sequence[Column]) -> Column:
    """Return one column with the rows of all. Raises `TypeError` if only some of them are texts."""
    texts = [column for column in columns if isinstance(column, Texts)]
    if texts and len(texts) < len(columns):
        raise TypeError("a column is of texts in some parts only")
    numbers = [column for column in columns if not isinstance(column, Texts)]
    return Texts.concatenate(texts) if texts else concatenate_dates(numbers)


def row_slices(n_rows: int) -> Iterator[slice]:
    """Yield slices that together cover the rows of a table in memory, in order."""
    for start in range(0, n_rows, ROWS_AT_ONCE):
        yield slice(start, start + ROWS_AT_ONCE)


def gaps_of(column: Column) -> Array:
    """Return a mask (rows,) of the empty cells."""
    if isinstance(column, Texts):
        return column.gaps
    if column.dtype.kind == "M":
        return np.asarray(np.isnat(column))
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), bool)


def ask_delimiter(names: Sequence[str], used: str = "") -> str:
    """Return a question about the delimiter if the names of a header contain another one than `used`, else empty."""
    candidates = (";", "\t", "|", ",") if len(names) == 1 else (";", "\t", "|")  # a name may well hold a comma
    found = next((mark for mark in candidates if mark != used and any(mark in name for name in names)), None)
    return f"; is the delimiter {found!r}?" if found else ""


def text_of(value: object) -> str:
    """Return a value as a file would hold it: ``true``, ``2`` (also for 2.0), ``1.5``, ``setosa``; a gap is empty."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, np.void):  # of the type `dates.ZONED`
        value = value["local"]
    if isinstance(value, datetime | np.datetime64):
        text = str(np.asarray(value, "datetime64[us]")).replace("T", " ")
        return text.removesuffix(".000000").removesuffix(" 00:00:00")
    return str(value)


def from_arrays(
    name: str,
    X: Array,
    feature_names: list[str],
    y: Array | None = None,
    target_names: list[str] | None = None,
    classes: tuple[Label, ...] | None = None,
    sha256: str | None = None,
) -> Table:
    """Build a table from inputs (rows, n_features) and targets: labels or values (rows,), or values (rows, n_targets).

    `sha256` is the digest of the source; if it is missing, the arrays are digested.
    """
    columns: dict[str, Column] = {feature: X[:, j] for j, feature in enumerate(feature_names)}
    if y is not None and target_names:
        targets = [y[:, j] if y.ndim == 2 else y for j in range(len(target_names))]
        columns |= {t: Texts.of(v) if v.dtype == object else v for t, v in zip(target_names, targets, strict=True)}
    return Table(name, columns, sha256 or _digest(X, y), classes)


def _digest(X: Array, y: Array | None) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(X).tobytes())
    if y is not None:
        digest.update(str(y.tolist()).encode() if y.dtype == object else np.ascontiguousarray(y).tobytes())
    return digest.hexdigest()
