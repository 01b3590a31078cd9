"""Rows as they were read: named columns, before anything is done to them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from nnfs_cli.errors import DataError, closest, counted, did_you_mean, listing
from nnfs_cli.parameters import Array

Label = str | int | bool
NUMBER = re.compile(r"[-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|0x[0-9a-fA-F]+)")


@dataclass(frozen=True)
class Table:
    """Columns by name, each (rows,): numbers (a gap is NaN), truth values, and texts as objects (a gap is None).

    `name` is what messages call the table; `sha256` tells two contents apart; `classes` gives the labels in the order
    of their own source, where it has one; `unreadable` names the columns of other kinds, by kind; `find` says where
    the cell of a row (from 0) and a column stands, as in "line 7", and what is written there, where a file can tell.
    """

    name: str
    columns: Mapping[str, Array]
    sha256: str
    classes: tuple[Label, ...] | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)
    find: Callable[[int, str], tuple[str, str]] | None = None

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values()), ()))

    def column(self, name: str) -> Array:
        """The column of this name. Raises `DataError` when there is none that can be read."""
        if name in self.columns:
            return self.columns[name]
        if name in self.unreadable:
            raise DataError(f"{self.name}: column '{name}' is {self.unreadable[name]}, neither numbers nor texts")
        raise DataError(self.missing(name))

    def has(self, name: str) -> bool:
        """Whether there is a column of this name, of whatever kind."""
        return name in self.columns or name in self.unreadable

    def missing(self, name: str) -> str:
        """A sentence that says that there is no such column, and what was probably meant."""
        known = [f"'{column}'" for column in list(self.columns)[:12]]
        hint = did_you_mean(name, self.columns) or f"; it has {listing(known)}"
        return f"{self.name} has no column '{name}'{hint}{self.delimiter_hint}"

    @property
    def delimiter_hint(self) -> str:
        """What to say of a table that seems to have been read with the wrong delimiter; else nothing."""
        return ask_delimiter(next(iter(self.columns))) if len(self.columns) == 1 else ""

    def error(self, row: int, name: str, expected: str, what: str = "column") -> DataError:
        """What to raise when the cell of a row (from 0) does not hold what is expected there."""
        place, found = self.find(row, name) if self.find else (f"row {row + 1}", word(self.columns[name][row]))
        problem = f"should hold {expected}, found '{found[:40]}'" if found else "is empty"
        hint = "; numbers are written with a point" if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", found.strip()) else ""
        return DataError(f"{self.name}, {place}: {what} '{name}' {problem}{hint}")

    def numbers(self, name: str) -> Array:
        """A column as finite float64 numbers. Raises `DataError` with the first place that holds anything else."""
        column = self.column(name)
        if column.dtype == object:
            for row, value in enumerate(column):
                if value is None or (isinstance(value, str) and not NUMBER.fullmatch(value.strip())):
                    raise self.error(row, name, "numbers")
            raise DataError(f"{self.name}: column '{name}' holds texts, though they look like numbers")
        numbers = np.asarray(column, np.float64)
        finite = np.isfinite(numbers)
        if not finite.all():
            error = self.error(int(np.argmin(finite)), name, "finite numbers")
            more = int((~finite).sum()) - 1
            raise DataError(f"{error}, as in {counted(more, 'more row')} of {self.n_rows:,}") if more else error
        return numbers

    def nearest(self, names: list[str]) -> dict[str, str]:
        """For each name that is not here, the column that was probably meant, if there is one."""
        return {name: close for name in names if (close := closest(name, self.columns))}


def ask_delimiter(header: str) -> str:
    """A question whether the header that came out as one name should have been split, where it looks so."""
    found = next((delimiter for delimiter in (";", "\t", "|", ",") if delimiter in header), None)
    return f"; is the delimiter {found!r}?" if found else ""


def word(value: object) -> str:
    """A cell in the words of a file: ``true``, ``2`` (also for 2.0), ``1.5``, ``setosa``; empty for a gap."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
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
    columns = {feature: X[:, j] for j, feature in enumerate(feature_names)}
    if y is not None and target_names:
        columns |= {target: y[:, j] if y.ndim == 2 else y for j, target in enumerate(target_names)}
    return Table(name, columns, sha256 or _digest(X, y), classes)


def _digest(X: Array, y: Array | None) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(X).tobytes())
    if y is not None:
        digest.update(str(y.tolist()).encode() if y.dtype == object else np.ascontiguousarray(y).tobytes())
    return digest.hexdigest()
