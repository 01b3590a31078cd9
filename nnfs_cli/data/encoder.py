"""Columns become arrays and predictions become columns: what was fitted once serves the model ever after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.inputs import Drawn, Faulty, Folds, Group, Numbers, Words, fit_inputs, group_from_json, lookups
from nnfs_cli.data.labels import TARGET, class_indices
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.source import Facts
from nnfs_cli.data.steps import NumberStep
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.table import Kind, Label, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import counted, listing, named

BLOCK = 8_192  # rows transformed at a time: they stay in the processor's cache, and no float64 copy of all is made


@dataclass(frozen=True)
class Encoder:
    """How the columns of a table and the arrays of a net correspond.

    `classes` are the labels in the order of the net's outputs; None where the targets are numbers.
    """

    inputs: tuple[Group, ...]
    target: Numbers  # what is done to a target of numbers; without columns where there are classes
    targets: tuple[str, ...]
    classes: tuple[Label, ...] | None
    class_weights: tuple[float, ...] | None = None  # how much the rows of each class count

    @classmethod
    def fit(
        cls,
        table: Table,
        rows: Array,
        kinds: Mapping[str, Kind],
        targets: Sequence[str],
        classes: tuple[Label, ...] | None,
        preprocessing: Preprocessing,
        class_weights: tuple[float, ...] | None = None,
        seed: int = 0,
        drawn: Drawn | None = None,
    ) -> Self:
        """Learn from the training `rows` (indices), and from no others; they are all there are unless `drawn` says so.

        `kinds` are the input columns, and what each is taken for; the targets are found in the table.
        """
        truth = _truth(table, targets, classes)[rows]
        steps = cast(tuple[NumberStep, ...], preprocessing.target or (Unchanged(),))
        numbers = {} if classes else {name: truth[:, j] for j, name in enumerate(targets)}
        target = Numbers.fit(numbers, steps, table.name)
        y = _indicators(truth, len(classes)) if classes else truth
        inputs = fit_inputs(table, rows, kinds, preprocessing, y, seed, drawn)
        return cls(inputs, target, tuple(targets), classes, class_weights)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The input columns, and what each is taken for."""
        return {name: group.kind for group in self.inputs for name in group.columns}

    @property
    def names(self) -> tuple[str, ...]:
        """What each of the net's inputs is."""
        return tuple(name for group in self.inputs for name in group.names)

    @property
    def lookups(self) -> tuple[tuple[int, int, int, str], ...]:
        """The inputs that are places in a table the net learns; see `inputs.lookups`."""
        return tuple(lookups(self.inputs))

    @property
    def facts(self) -> Facts:
        """What a net must fit."""
        n_features = len(self.names) + sum(width - 1 for _, _, width, _ in self.lookups)
        return Facts(n_features, len(self.classes) if self.classes else None, len(self.targets))

    def folds(self, n_rows: int, seed: int) -> Folds:
        """Which fold of its step's fit each of the training rows belongs to, for every column where that matters."""
        words = [group for group in self.inputs if isinstance(group, Words)]
        folds = {group.column: group.step.fold_of(n_rows, seed) for group in words}
        return {column: fold for column, fold in folds.items() if fold is not None}

    def encode(self, table: Table, dtype: Any, folds: Folds | None = None, marks: Array | None = None) -> Array:
        """The net's inputs, (rows, n). Columns are found by name, in any order; others are ignored.

        For training rows `folds` says which fold each belongs to. With `marks` (rows,) what cannot be used is not an
        error: its rows are marked there.
        """
        self.refuse_missing(table)
        faulty = Faulty(marks)
        columns = [group.read(table, faulty, folds or {}) for group in self.inputs]
        widths = [len(group.names) for group in self.inputs]
        X = np.empty((table.n_rows, sum(widths)), dtype)
        for start in range(0, len(X), BLOCK):
            rows = slice(start, start + BLOCK)
            at = 0
            for group, of_group, width in zip(self.inputs, columns, widths, strict=True):
                with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused
                    X[rows, at : at + width] = group.transform(of_group, rows)
                at += width
        self._refuse_infinite(X, table, faulty)
        return X

    def _refuse_infinite(self, X: Array, table: Table, faulty: Faulty) -> None:
        if np.isfinite(X.sum(dtype=np.float64)):  # sums are quick, and infinite or nan where a number is
            return
        at = 0
        for group in self.inputs:
            width = len(group.names)
            wrong = ~np.isfinite(X[:, at : at + width])
            for j in np.flatnonzero(wrong.any(axis=0)):
                name = group.origins[j] if isinstance(group, Numbers) else group.column
                faulty.check(wrong[:, j], table, name, f"numbers within the range of {X.dtype}")
            at += width
        if faulty.marks is not None:
            X[faulty.marks] = 0

    def refuse_missing(self, table: Table) -> None:
        """Raise `DataError` when the table lacks a column."""
        missing = [name for name in self.kinds if not (name in table.columns or name in table.unreadable)]
        if missing:
            names = list(map(named, missing[:5]))
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            near = listing(map(named, dict.fromkeys(table.nearest(missing[:5]).values())))
            has = f"; it has {near}" if near else table.delimiter_hint
            listed = f"{', '.join(names)}{more}" if more else listing(names)
            raise DataError(f"{table.name} lacks {counted(len(missing), 'column')}: {listed}{has}")

    def truth(self, table: Table) -> Array:
        """The target in its own words: class indices (rows,), or values in their own units (rows, n_targets)."""
        return _truth(table, self.targets, self.classes)

    def scale(self, truth: Array) -> Array:
        """The target as the net is to give it: class indices stay, values (rows, n_targets) are transformed."""
        return truth if self.classes else self.target.forward(truth)

    def weights(self, table: Table, truth: Array, column: str | None, dtype: Any) -> Array | None:
        """How much each row counts, (rows,), by its class and by a column of the table; None without either."""
        if not self.class_weights and column is None:
            return None
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
                _refuse_infinite((weights * values).astype(dtype)[:, None], table, [column])
            weights *= values
        counted: Array = weights.astype(dtype)
        return counted

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
        _refuse_infinite(scaled, table, self.targets)
        return truth, scaled

    def unscale(self, y_hat: Array) -> Array:
        """What the net gives in the target's own units, float64; probabilities stay as they are."""
        if self.classes:
            return y_hat
        return np.asarray(self.target.inverse(y_hat.astype(np.float64)))

    def to_json(self) -> dict[str, Any]:
        """What was fitted, as plain JSON; the steps themselves stand in the spec."""
        return {
            "inputs": [group.to_json() for group in self.inputs],
            "target": self.target.to_json(),
            "targets": list(self.targets),
            "classes": list(self.classes) if self.classes else None,
            "class_weights": list(self.class_weights) if self.class_weights else None,
        }

    @classmethod
    def from_json(cls, fitted: Mapping[str, Any], preprocessing: Preprocessing) -> Self:
        """Take `to_json` back."""
        if "numbers" in fitted:  # as runs of format 1 have it: one step for all inputs
            numbers = {"kind": "number", "columns": fitted["features"], "fits": [fitted["numbers"]]}
            target = {"columns": [] if fitted["classes"] else fitted["targets"], "fits": [fitted["target"]]}
            fitted = {**fitted, "inputs": [numbers], "target": target}
        classes, weights = tuple(fitted["classes"] or ()), tuple(map(float, fitted.get("class_weights") or ()))
        kinds = {type(label) for label in classes}
        if len(kinds) > 1 or not kinds <= {str, int, bool} or len(set(classes)) < len(classes):
            raise ValueError("its classes are not labels of one kind, each another")
        if weights and len(weights) != len(classes):
            raise ValueError("there is not a weight for every class")
        return cls(
            tuple(group_from_json(group, preprocessing) for group in fitted["inputs"]),
            Numbers.from_json(fitted["target"], preprocessing.target or (Unchanged(),)),
            tuple(fitted["targets"]),
            classes or None,
            weights or None,
        )


def _truth(table: Table, targets: Sequence[str], classes: tuple[Label, ...] | None) -> Array:
    if classes:
        return class_indices(table, targets[0], classes)
    return np.stack([_target_numbers(table, name) for name in targets], axis=1)


def _indicators(truth: Array, n: int) -> Array:
    """(rows, n) of which class each row is, or of two classes (rows, 1), whether it is the second."""
    return np.eye(n)[truth] if n > 2 else truth[:, None].astype(np.float64)


def _refuse_infinite(values: Array, table: Table, names: Sequence[str]) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        row, j = np.argwhere(~finite)[0]
        raise table.error(int(row), names[j], f"numbers within the range of {values.dtype}")


def _target_numbers(table: Table, name: str) -> Array:
    try:
        return table.numbers(name)
    except DataError as error:
        if not isinstance(table.column(name), Texts):
            raise
        raise DataError(f"{error}; a loss for classes, such as cross_entropy, takes words") from None
