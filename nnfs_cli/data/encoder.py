"""Columns become arrays and predictions become columns: what was fitted once serves the model ever after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.data.preprocessing import Preprocessing, Preprocessor, Statistics, Unchanged, fit_columns
from nnfs_cli.data.source import Facts
from nnfs_cli.data.table import Label, Table
from nnfs_cli.document import dump_value
from nnfs_cli.errors import DataError, counted, did_you_mean, listing
from nnfs_cli.parameters import Array

BLOCK = 65_536  # rows transformed at a time, so that no float64 copy of the whole table is made


@dataclass(frozen=True)
class Encoder:
    """How the columns of a table and the arrays of a net correspond.

    `classes` are the labels in the order of the net's outputs; None where the targets are numbers.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[Label, ...] | None
    numbers: Preprocessor
    number_statistics: Statistics
    target: Preprocessor
    target_statistics: Statistics

    @classmethod
    def fit(
        cls,
        table: Table,
        rows: Array,
        features: Sequence[str],
        targets: Sequence[str],
        classes: tuple[Label, ...] | None,
        steps: Preprocessing,
    ) -> Self:
        """Learn the statistics of the training `rows` (indices), and of no others."""
        _refuse(table, features)
        target: Preprocessor = steps.target or Unchanged()
        values = [] if classes else [_target_numbers(table, name)[rows] for name in targets]
        return cls(
            tuple(features),
            tuple(targets),
            classes,
            steps.numbers,
            fit_columns(steps.numbers, [table.numbers(name)[rows] for name in features]),
            target,
            fit_columns(target, values),
        )

    @property
    def facts(self) -> Facts:
        """What a net must fit."""
        return Facts(len(self.features), len(self.classes) if self.classes else None, len(self.targets))

    def inputs(self, table: Table, dtype: Any) -> Array:
        """The net's inputs, (rows, n_features). Columns are found by name, in any order; others are ignored."""
        missing = [name for name in self.features if name not in table.columns]
        if missing:
            hint = did_you_mean(missing[0], table.columns) if len(missing) == 1 else ""
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            names = listing([f"'{name}'" for name in missing[:5]])
            raise DataError(f"{table.name} lacks {counted(len(missing), 'column')}: {names}{more}{hint}")
        X = np.empty((table.n_rows, len(self.features)), dtype)
        columns = [table.numbers(name) for name in self.features]
        for start in range(0, len(X), BLOCK):
            rows = slice(start, start + BLOCK)
            block = np.stack([column[rows] for column in columns], axis=1)
            X[rows] = self.numbers.transform(block, self.number_statistics)
        return X

    def truth(self, table: Table) -> Array:
        """The target in its own words: class indices (rows,), or values in their own units (rows, n_targets)."""
        if self.classes:
            return class_indices(table, self.targets[0], self.classes)
        return np.stack([_target_numbers(table, name) for name in self.targets], axis=1)

    def scale(self, truth: Array) -> Array:
        """The target as the net is to give it: class indices stay, values are transformed."""
        return truth if self.classes else self.target.transform(truth, self.target_statistics)

    def unscale(self, y_hat: Array) -> Array:
        """What the net gives in the target's own units, float64; probabilities stay as they are."""
        if self.classes:
            return y_hat
        return np.asarray(self.target.inverse(y_hat.astype(np.float64), self.target_statistics))

    def to_json(self) -> dict[str, Any]:
        """The fitted numbers as plain JSON; the steps themselves stand in the spec."""
        return {
            "features": list(self.features),
            "targets": list(self.targets),
            "classes": list(self.classes) if self.classes else None,
            "numbers": {key: array.tolist() for key, array in self.number_statistics.items()},
            "target": {key: array.tolist() for key, array in self.target_statistics.items()},
        }

    @classmethod
    def from_json(cls, fitted: Mapping[str, Any], steps: Preprocessing) -> Self:
        """Take `to_json` back."""
        return cls(
            tuple(fitted["features"]),
            tuple(fitted["targets"]),
            tuple(fitted["classes"]) if fitted["classes"] else None,
            steps.numbers,
            {key: np.array(values, np.float64) for key, values in fitted["numbers"].items()},
            steps.target or Unchanged(),
            {key: np.array(values, np.float64) for key, values in fitted["target"].items()},
        )


def _refuse(table: Table, features: Sequence[str]) -> None:
    """Raise one `DataError` for all the columns that cannot be inputs."""
    wrong: dict[str, str] = {}
    for name in features:
        try:
            table.numbers(name)
        except DataError as error:
            wrong[name] = str(error)
    if wrong:
        shown = list(wrong.values())[:5]
        more = [f"and {len(wrong) - 5} more columns"] if len(wrong) > 5 else []
        remedy = f"mend the file, or leave columns out with  drop: {dump_value(list(wrong))}"
        raise DataError("\n".join([*shown, *more, remedy]))


def _target_numbers(table: Table, name: str) -> Array:
    try:
        return table.numbers(name)
    except DataError as error:
        if not any(isinstance(value, str) for value in table.column(name)[:100]):
            raise
        raise DataError(f"{error}; a loss for classes, such as cross_entropy, takes words") from None


def find_classes(table: Table, name: str) -> tuple[Label, ...]:
    """The labels of a target, in the table's own order or sorted: texts, booleans or whole numbers."""
    column = table.column(name)
    if table.classes:
        return table.classes
    if column.dtype.kind == "f":
        values = table.numbers(name)
        odd = np.flatnonzero(values != np.round(values))
        if len(odd):
            raise DataError(
                f"{table.name}, {table.locate(int(odd[0]))}: the target '{name}' holds {values[odd[0]]:g};"
                " classes are texts or whole numbers, and mse is a loss for numbers"
            )
    labels = set(column.tolist())
    if any(_is_gap(label) for label in labels):
        gap = next(i for i, label in enumerate(column.tolist()) if _is_gap(label))
        raise DataError(f"{table.name}, {table.locate(gap)}: the target '{name}' is empty")
    if len(labels) < 2:
        raise DataError(f"{table.name}: the target '{name}' is always {labels.pop()!r}; there is nothing to tell apart")
    return tuple(int(label) if isinstance(label, float) else label for label in sorted(labels))


def class_indices(table: Table, name: str, classes: tuple[Label, ...]) -> Array:
    """The place of each row's label among the classes, (rows,)."""
    index = {label: i for i, label in enumerate(classes)}
    column = table.column(name).tolist()
    try:
        return np.array([index[label] for label in column], np.intp)
    except KeyError:
        row, label = next((i, label) for i, label in enumerate(column) if label not in index)
        what = "is empty" if _is_gap(label) else f"holds '{label}', which is none of the classes"
        raise DataError(f"{table.name}, {table.locate(row)}: the target '{name}' {what}") from None


def _is_gap(label: object) -> bool:
    return label is None or label != label
