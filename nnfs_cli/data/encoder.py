"""Columns become arrays and predictions become columns: what was fitted once serves the model ever after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.data.labels import TARGET, class_indices
from nnfs_cli.data.preprocessing import Fitted, Preprocessing, Unchanged
from nnfs_cli.data.source import Facts
from nnfs_cli.data.table import Label, Table
from nnfs_cli.errors import DataError, counted, listing
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
    numbers: Fitted  # what is done to the inputs
    target: Fitted  # and to a target of numbers
    class_weights: tuple[float, ...] | None = None  # how much the rows of each class count

    @classmethod
    def fit(
        cls,
        table: Table,
        rows: Array,
        features: Mapping[str, Array],
        targets: Sequence[str],
        classes: tuple[Label, ...] | None,
        steps: Preprocessing,
        class_weights: tuple[float, ...] | None = None,
    ) -> Self:
        """Learn the statistics of the training `rows` (indices), and of no others.

        `features` are the input columns by name, as `read_numbers` gives them; the targets are found in the table.
        """
        numbers = {name: column[rows] for name, column in features.items()}
        target = {} if classes else {name: _target_numbers(table, name)[rows] for name in targets}
        return cls(
            tuple(features),
            tuple(targets),
            classes,
            Fitted.to(numbers, steps.numbers),
            Fitted.to(target, steps.target or Unchanged()),
            class_weights,
        )

    @property
    def facts(self) -> Facts:
        """What a net must fit."""
        return Facts(len(self.features), len(self.classes) if self.classes else None, len(self.targets))

    def inputs(self, table: Table, dtype: Any) -> Array:
        """The net's inputs, (rows, n_features). Columns are found by name, in any order; others are ignored."""
        self._refuse_missing(table)
        columns, wrong = read_numbers(table, self.features)
        if wrong:
            raise DataError("\n".join(wrong.values()))
        X = np.empty((table.n_rows, len(self.features)), dtype)
        for start in range(0, len(X), BLOCK):
            rows = slice(start, start + BLOCK)
            block = np.stack([column[rows] for column in columns.values()], axis=1)
            with np.errstate(over="ignore"):  # what overflows is refused
                X[rows] = self.numbers.transform(block)
            _refuse_infinite(X[rows], table, self.features, start)
        return X

    def _refuse_missing(self, table: Table) -> None:
        missing = [name for name in self.features if name not in table.columns]
        if missing:
            names = [f"'{name}'" for name in missing[:5]]
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            near = listing([f"'{name}'" for name in dict.fromkeys(table.nearest(missing[:5]).values())])
            has = f"; it has {near}" if near else table.delimiter_hint
            listed = f"{', '.join(names)}{more}" if more else listing(names)
            raise DataError(f"{table.name} lacks {counted(len(missing), 'column')}: {listed}{has}")

    def truth(self, table: Table) -> Array:
        """The target in its own words: class indices (rows,), or values in their own units (rows, n_targets)."""
        if self.classes:
            return class_indices(table, self.targets[0], self.classes)
        return np.stack([_target_numbers(table, name) for name in self.targets], axis=1)

    def scale(self, truth: Array) -> Array:
        """The target as the net is to give it: class indices stay, values (rows, n_targets) are transformed."""
        return truth if self.classes else self.target.transform(truth)

    def weights(self, table: Table, truth: Array, column: str | None, dtype: Any) -> Array | None:
        """How much each row counts, (rows,), by its class and by a column of the table; None when all count alike."""
        weights = np.ones(table.n_rows)
        if self.class_weights:
            weights *= np.array(self.class_weights)[truth]
            if weights.max(initial=0) > np.finfo(dtype).max:
                raise DataError(f"the class weights are beyond {np.dtype(dtype)}; {weights.max():g} is one of them")
        if column is not None:
            values = table.numbers(column)
            if (values < 0).any():
                raise table.error(int(np.argmax(values < 0)), column, "numbers of 0 or more, since they are weights")
            with np.errstate(over="ignore"):  # what overflows is refused
                _refuse_infinite((weights * values).astype(dtype)[:, None], table, [column], 0)
            weights *= values
        return None if (weights == 1).all() else weights.astype(dtype)

    def encode_target(
        self, table: Table, dtype: Any, allowed: tuple[float, float] | None = None
    ) -> tuple[Array, Array]:
        """The target in its own words, and as the net is to give it, in the net's dtype unless it is classes.

        Raises `DataError` where numbers are not within what is `allowed`.
        """
        truth = self.truth(table)
        if self.classes:
            return truth, truth
        low, high = allowed or (-np.inf, np.inf)
        outside = (truth < low) | (truth > high)
        if outside.any():
            row, j = np.argwhere(outside)[0]
            bounds = f"numbers of {low:g} or more" if high == np.inf else f"numbers from {low:g} to {high:g}"
            raise table.error(int(row), self.targets[j], bounds, TARGET)
        with np.errstate(over="ignore"):  # what overflows is refused
            scaled = self.scale(truth).astype(dtype)
        _refuse_infinite(scaled, table, self.targets, 0)
        return truth, scaled

    def unscale(self, y_hat: Array) -> Array:
        """What the net gives in the target's own units, float64; probabilities stay as they are."""
        if self.classes:
            return y_hat
        return np.asarray(self.target.inverse(y_hat.astype(np.float64)))

    def to_json(self) -> dict[str, Any]:
        """The fitted numbers as plain JSON; the steps themselves stand in the spec."""
        return {
            "features": list(self.features),
            "targets": list(self.targets),
            "classes": list(self.classes) if self.classes else None,
            "numbers": self.numbers.to_json(),
            "target": self.target.to_json(),
            "class_weights": list(self.class_weights) if self.class_weights else None,
        }

    @classmethod
    def from_json(cls, fitted: Mapping[str, Any], steps: Preprocessing) -> Self:
        """Take `to_json` back."""
        return cls(
            tuple(fitted["features"]),
            tuple(fitted["targets"]),
            tuple(fitted["classes"]) if fitted["classes"] else None,
            Fitted.from_json(fitted["numbers"], steps.numbers),
            Fitted.from_json(fitted["target"], steps.target or Unchanged()),
            tuple(weights) if (weights := fitted.get("class_weights")) else None,  # older runs have none
        )


def read_numbers(table: Table, names: Sequence[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """The columns that can be inputs, float64, and what is wrong with each of the others; both by name."""
    columns: dict[str, Array] = {}
    wrong: dict[str, str] = {}
    for name in names:
        try:
            columns[name] = table.numbers(name)
        except DataError as error:
            wrong[name] = str(error)
    return columns, wrong


def _refuse_infinite(block: Array, table: Table, names: Sequence[str], start: int) -> None:
    finite = np.isfinite(block)
    if not finite.all():
        row, j = np.argwhere(~finite)[0]
        raise table.error(start + int(row), names[j], f"numbers within the range of {block.dtype}")


def _target_numbers(table: Table, name: str) -> Array:
    try:
        return table.numbers(name)
    except DataError as error:
        if not any(isinstance(value, str) for value in table.column(name)[:100]):
            raise
        raise DataError(f"{error}; a loss for classes, such as cross_entropy, takes words") from None
