"""Rows as they were read: named columns, before anything is done to them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nnfs_cli.errors import DataError, did_you_mean, listing
from nnfs_cli.parameters import Array

Label = str | int | bool
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Table:
    """Columns by name, each (rows,): numbers as integers, booleans or floats (a gap is NaN), texts as objects (None).

    `name` is what messages call the table; `sha256` tells two contents apart; `classes` gives the labels in the order
    of their own source, where it has one; `locate` says where row i (from 0) stands, as in "line 7".
    """

    name: str
    columns: Mapping[str, Array]
    sha256: str
    classes: tuple[Label, ...] | None = None
    locate: Callable[[int], str] = lambda row: f"row {row + 1}"

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values()), ()))

    def column(self, name: str) -> Array:
        """The column of this name. Raises `DataError` when there is none."""
        if name not in self.columns:
            hint = did_you_mean(name, self.columns) or f"; it has {listing([repr(c) for c in list(self.columns)[:12]])}"
            raise DataError(f"{self.name} has no column '{name}'{hint}")
        return self.columns[name]

    def numbers(self, name: str) -> Array:
        """A column as finite float64 numbers. Raises `DataError` with the first place that holds anything else."""
        column = self.column(name)
        if column.dtype == object:
            row = next((i for i, value in enumerate(column) if not NUMBER.fullmatch(str(value))), 0)
            if column[row] is None:
                raise DataError(f"{self.name}, {self.locate(row)}: column '{name}' is empty")
            found = str(column[row])[:40]
            raise DataError(f"{self.name}, {self.locate(row)}: column '{name}' should hold numbers, found '{found}'")
        numbers = np.asarray(column, np.float64)
        wrong = np.flatnonzero(~np.isfinite(numbers))
        if len(wrong):
            row = int(wrong[0])
            found = "is empty" if np.isnan(numbers[row]) else f"holds {numbers[row]}, which is not a finite number"
            raise DataError(f"{self.name}, {self.locate(row)}: column '{name}' {found}")
        return numbers


def from_arrays(
    name: str,
    X: Array,
    feature_names: list[str],
    y: Array | None = None,
    target_names: list[str] | None = None,
    classes: tuple[Label, ...] | None = None,
) -> Table:
    """A table from inputs (rows, n_features) and a target: labels or values (rows,), or values (rows, n_targets)."""
    digest = hashlib.sha256(np.ascontiguousarray(X).tobytes())
    columns = {feature: X[:, j] for j, feature in enumerate(feature_names)}
    if y is not None and target_names:
        digest.update(str(y.tolist()).encode() if y.dtype == object else np.ascontiguousarray(y).tobytes())
        columns |= {target: y[:, j] if y.ndim == 2 else y for j, target in enumerate(target_names)}
    return Table(name, columns, digest.hexdigest(), classes)
