"""The words of a target that names classes, and their places among the net's outputs."""

from __future__ import annotations

import numpy as np

from nnfs_cli.data.table import Label, Table, word
from nnfs_cli.errors import DataError, listing
from nnfs_cli.parameters import Array

TARGET = "the target"  # what messages call the column


def find_classes(table: Table, name: str) -> tuple[Label, ...]:
    """The labels of a target, in the table's own order or sorted: texts, booleans or whole numbers.

    Raises `DataError` where the column holds anything else, or one label only.
    """
    column = table.column(name)
    if table.classes:
        return table.classes
    labels = set(column.tolist())
    if not all(map(_is_label, labels)):
        row = next(row for row, value in enumerate(column.tolist()) if not _is_label(value))
        raise table.error(row, name, "classes, which are texts or whole numbers (mse predicts others)", TARGET)
    if column.dtype.kind in "iuf" and len(labels) > max(20, table.n_rows // 4):
        different = f"{len(labels):,} different numbers in {table.n_rows:,} rows"
        raise DataError(f"{table.name}: the target '{name}' holds {different}; mse is a loss to predict numbers")
    classes = tuple(int(label) if isinstance(label, float) else label for label in sorted(labels))
    if len(classes) < 2:
        raise DataError(f"{table.name}: the target '{name}' is always {classes[0]!r}; there is nothing to tell apart")
    return classes


def class_indices(table: Table, name: str, classes: tuple[Label, ...]) -> Array:
    """The place of each row's label among the classes, (rows,); labels are compared by the word they are written as.

    Raises `DataError` with the first row whose label is none of them.
    """
    places = {word(label): i for i, label in enumerate(classes)}
    column = table.column(name)
    if column.dtype == object:
        indices = np.array([places.get(word(label), -1) for label in column], np.intp)
    else:
        labels, inverse = np.unique(column, return_inverse=True)
        indices = np.array([places.get(word(label), -1) for label in labels.tolist()], np.intp)[inverse]
    if (indices < 0).any():
        more = ["another class"] if len(places) > 8 else []
        known = listing([*(f"'{label}'" for label in list(places)[:8]), *more], "or")
        raise table.error(int(np.argmin(indices)), name, known, TARGET)
    return indices


def _is_label(value: object) -> bool:
    return word(value) != "" and not (isinstance(value, float) and not value.is_integer())
