"""Rows as they were read: named columns, before anything is done to them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import DATES, instant
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import closest, counted, did_you_mean, listing, named, shown

Kind = Literal["number", "category", "date"]  # what a column is taken for
Column = Array | Texts  # numbers (a gap is NaN), truth values, instants (datetime64[us], a gap is NaT), or texts
Label = str | int | bool
ROWS_AT_ONCE = 65_536  # of a table in memory that are processed at a time
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
GROUPED = re.compile("[-+]?[0-9]{1,3}([.,' \u00a0\u202f])[0-9]{3}(?:\\1[0-9]{3})*(?:[.,][0-9]+)?")  # as in 1.234.567,8
MEANT_AS_GAPS = ("na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", ".")


@dataclass(frozen=True)
class Table:
    """Columns by name, each (rows,): numbers (a gap is NaN), truth values, instants of time, and texts.

    `name` is the name of the table in messages, and `sha256` the digest of its content. `classes` are the labels in the
    order of their source, where it has an order. `unreadable` maps a column that is of no such type to its type, and
    `not_read` names the columns that were skipped. `find` locates the cell of a row (from 0) and a column: it returns
    the place, as in "line 7", and the text there. `kept` are columns that are passed on unchanged, as arrays of Arrow
    or of this table. `faults` maps rows that cannot be used to the reason. `decimal` is the decimal mark of the file.
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

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values()), ()))

    def take(self, rows: Any) -> Table:
        """Some of the rows: indices (n,), a slice, or a mask (rows,); without what is kept beside, and faults."""

        def find(row: int, name: str) -> tuple[str, str]:
            at = range(self.n_rows)[rows][row] if isinstance(rows, slice) else int(np.arange(self.n_rows)[rows][row])
            return self.locate(at, name)

        columns = {name: column[rows] for name, column in self.columns.items()}
        return replace(self, columns=columns, find=find, kept={}, faults={})

    def column(self, name: str) -> Column:
        """The column of this name. Raises `DataError` when there is none that can be read."""
        if name in self.columns:
            return self.columns[name]
        if name in self.unreadable:
            raise DataError(f"{self.name}: column {named(name)} is {self.unreadable[name]}, neither numbers nor texts")
        raise DataError(self.no_such_column(name))

    def has(self, name: str) -> bool:
        """Whether there is a column of this name, of whatever kind."""
        return name in self.columns or name in self.unreadable or name in self.not_read

    def kind(self, name: str) -> Kind:
        """What a column seems to be: texts are categories, truth values count as numbers."""
        column = self.column(name)
        if isinstance(column, Texts):
            return "category"
        return "date" if column.dtype.kind == "M" else "number"

    def no_such_column(self, name: str) -> str:
        """A sentence that says that there is no such column, and what was probably meant."""
        known = map(named, (*self.columns, *self.not_read)[:12])
        hint = did_you_mean(name, (*self.columns, *self.not_read)) or f"; it has {listing(known)}"
        return f"{self.name} has no column {named(name)}{hint}{self.delimiter_hint}"

    @property
    def delimiter_hint(self) -> str:
        """What to say of a table that seems to have been read with the wrong delimiter; else nothing."""
        names = (*self.columns, *self.not_read)
        return ask_delimiter(names[0]) if len(names) == 1 else ""

    def error(self, row: int, name: str, expected: str, what: str = "column") -> DataError:
        """What to raise when the cell of a row (from 0) does not hold what is expected there."""
        place, found = self.locate(row, name)
        problem = f"should hold {expected}, found {shown(found)}" if found else "is empty"
        hint = self._hint(found.strip()) if "numbers" in expected else ""
        return DataError(f"{self.name}, {place}: {what} {named(name)} {problem}{hint}")

    def _hint(self, found: str) -> str:
        """What to say of a cell that should hold a number and was probably meant to."""
        mark = "," if self.decimal == "." else "."
        if re.fullmatch(rf"[-+]?[0-9]*{re.escape(mark)}[0-9]+", found):
            written = {".": "point", ",": "comma"}.get(self.decimal, self.decimal)
            return f"; numbers are written with a {written}; is it  decimal: '{mark}'  ?"
        if GROUPED.fullmatch(found):
            return "; numbers are written without a mark between thousands"
        if found.lower() in MEANT_AS_GAPS:
            return f"; if that is a gap, say so with  null: ['{found}']"
        return ""

    def locate(self, row: int, name: str, number: int | None = None) -> tuple[str, str]:
        """Where the cell of a row (from 0) stands, as a message says it, and what is written there.

        Where nothing finds it, the row has its `number` (from 0) in some larger table, if there is one.
        """
        if self.find:
            return self.find(row, name)
        return f"row {1 + (row if number is None else number)}", self.text_of(row, name)

    def text_of(self, row: int, name: str) -> str:
        """A cell in the words of a file."""
        column = self.columns[name]
        return column.at(row) if isinstance(column, Texts) else text_of(column[row])

    def numbers(self, name: str, *, gaps: bool = False) -> Array:
        """A column as finite float64 numbers, or NaN where `gaps` are allowed and a cell is empty.

        Raises `DataError` with the first place that holds anything else.
        """
        column = self.column(name)
        if isinstance(column, Texts):
            wrong = np.array([not is_number(text, self.decimal) for text in column.distinct] + [not gaps])[column.codes]
            if wrong.any():
                raise self.error(int(np.argmax(wrong)), name, "numbers")
            if column.gaps.all():
                return np.full(len(column), np.nan)
            raise DataError(f"{self.name}: column {named(name)} holds texts, though they look like numbers")
        if column.dtype.kind == "M":
            raise self.error(0, name, "numbers")
        numbers = np.asarray(column, np.float64)
        usable = ~np.isinf(numbers) if gaps else np.isfinite(numbers)
        if not usable.all():
            error = self.error(int(np.argmin(usable)), name, "finite numbers")
            more = int((~usable).sum()) - 1
            raise DataError(f"{error}, as in {counted(more, 'more row')} of {self.n_rows:,}") if more else error
        return numbers

    def is_mostly_numbers(self, name: str) -> bool:
        """Whether a column of texts looks like numbers, though among them something else has strayed, or all of them
        are written in another way.
        """
        texts, other = self.texts(name), "," if self.decimal == "." else "."
        numbers = [is_number(text, self.decimal) or _is_number_elsewhere(text, other) for text in texts.distinct]
        looks = np.array([*numbers, False])[texts.codes]
        return bool(2 * looks.sum() > len(texts) - texts.gaps.sum())

    def texts(self, name: str) -> Texts:
        """A column as texts: numbers and truth values in the words of a file."""
        column = self.column(name)
        if isinstance(column, Texts):
            return column
        values, codes = np.unique(column, return_inverse=True)
        return Texts.of(text_of(value) or None for value in values.tolist())[codes.reshape(-1)]

    def dates(self, name: str) -> Array:
        """A column as instants, datetime64[us]; NaT where a cell is empty.

        Raises `DataError` with the first place that holds anything else.
        """
        column = self.column(name)
        if isinstance(column, Texts):
            parsed = np.array([instant(text) for text in column.distinct] + [np.datetime64("NaT")], "datetime64[us]")
            dates = parsed[column.codes]
            wrong = np.isnat(dates) & ~column.gaps
        else:
            wrong = np.full(len(column), column.dtype.kind != "M")
            dates = np.asarray(column) if column.dtype.kind == "M" else column
        if wrong.any():
            raise self.error(int(np.argmax(wrong)), name, DATES)
        return dates.astype("datetime64[us]")

    def nearest(self, names: list[str]) -> dict[str, str]:
        """For each name that is not here, the column that was probably meant, if there is one."""
        return {name: close for name in names if (close := closest(name, (*self.columns, *self.not_read)))}


def concatenate_tables(parts: Sequence[Table]) -> Table:
    """One table below the other, with the columns of the first, which all have. Places are those of the parts."""
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
        first, columns={name: concatenate_columns([p.column(name) for p in parts]) for name in first.columns}, find=find
    )


def concatenate_columns(columns: Sequence[Column]) -> Column:
    """One column below the other; all of texts, or none."""
    texts = [column for column in columns if isinstance(column, Texts)]
    if texts and len(texts) < len(columns):
        raise TypeError("a column of texts is one in every part")
    numbers = [column for column in columns if not isinstance(column, Texts)]
    return Texts.concatenate(texts) if texts else np.concatenate(numbers)


def row_slices(n_rows: int) -> Iterator[slice]:
    """Yield slices that together cover the rows of a table in memory, in order."""
    for start in range(0, n_rows, ROWS_AT_ONCE):
        yield slice(start, start + ROWS_AT_ONCE)


def gaps_of(column: Column) -> Array:
    """Which cells are empty, (rows,)."""
    if isinstance(column, Texts):
        return column.gaps
    if column.dtype.kind == "M":
        return np.asarray(np.isnat(column))
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), bool)


def ask_delimiter(header: str) -> str:
    """A question whether the header that came out as one name should have been split, where it looks so."""
    found = next((delimiter for delimiter in (";", "\t", "|", ",") if delimiter in header), None)
    return f"; is the delimiter {found!r}?" if found else ""


def _is_number_elsewhere(text: str, decimal: str) -> bool:
    return is_number(text, decimal) or GROUPED.fullmatch(text.strip()) is not None


def is_number(text: str, decimal: str = ".") -> bool:
    """Whether a text is a number in the grammar of files: digits, maybe a sign, a decimal mark and an exponent."""
    text = text.strip()
    if decimal != ".":
        text = "" if "." in text else text.replace(decimal, ".")
    return NUMBER.fullmatch(text) is not None


def text_of(value: object) -> str:
    """A cell in the words of a file: ``true``, ``2`` (also for 2.0), ``1.5``, ``setosa``; empty for a gap."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
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
    """A table from inputs (rows, n_features) and a target: labels or values (rows,), or values (rows, n_targets).

    Without a `sha256` of the source, that of the arrays serves.
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
