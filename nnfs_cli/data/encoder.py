"""The encoder: it turns columns of a table into the arrays of a net, and targets into the net's units and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self
from typing import cast as typed

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.inputs import (
    CategoryInput,
    FoldsByColumn,
    InputBlock,
    NumberInputs,
    RowSample,
    UnusableRows,
    block_from_json,
    fit_inputs,
    lookups,
)
from nnfs_cli.data.labels import IF_MISSING, TARGET, class_indices, label_indices
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.source import Facts
from nnfs_cli.data.steps import NumberStep
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.table import Kind, Label, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.data.weighted import as_counts, exposures, row_weights
from nnfs_cli.errors import DataError
from nnfs_cli.pipeline.elementwise import cast, is_finite, logical_and
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.shapes import all_last, concatenate
from nnfs_cli.pipeline.value import DType, Value
from nnfs_cli.system.wording import counted, listing, named

# Rows are transformed a few at a time, so that these numbers (float64) stay in the processor's cache.
NUMBERS_IN_CACHE = 100_000


@dataclass(frozen=True)
class Encoder:
    """The fitted correspondence between the columns of a table and the arrays of a net.

    `classes` are the labels in the order of the net's outputs; None for a target of numbers. Of several targets that
    are learned together as classes, `pairs` are the two labels of each. With the column `exposure`, a target of counts
    is learned as a rate, the count divided by the exposure of the row.
    """

    inputs: tuple[InputBlock, ...]
    target: NumberInputs  # the steps of a target of numbers; it has no columns if the target is classes
    targets: tuple[str, ...]
    classes: tuple[Label, ...] | None
    class_weights: tuple[float, ...] | None = None  # the weight of the rows of each class
    pairs: tuple[tuple[Label, Label], ...] = ()
    exposure: str | None = None

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
        sample: RowSample | None = None,
        weights: Array | None = None,
        zoned: bool = True,
        pairs: tuple[tuple[Label, Label], ...] = (),
        exposure: str | None = None,
    ) -> Self:
        """Fit all steps to the training `rows` (indices) of the table, and to no others.

        `kinds` names the input columns and their kinds. With `sample`, the rows are a sample of the training rows.
        `weights` (training rows,), above 0, say how many rows each row stands for in every statistic; weights of
        classes do not: they belong to the loss. Without `zoned`, the calendar goes by UTC.
        Raises `DataError` when a column cannot be used.
        """
        truth, weights = _truth(table, targets, classes, pairs, exposure)[rows], as_counts(weights)
        steps = typed(tuple[NumberStep, ...], preprocessing.target or (Unchanged(),))
        numbers = {} if classes or pairs else {name: truth[:, j] for j, name in enumerate(targets)}
        target = NumberInputs.fit(numbers, steps, table.name, weights)
        y = _indicators(truth, len(classes)) if classes else truth.astype(np.float64)
        inputs = fit_inputs(table, rows, kinds, preprocessing, y, seed, sample, weights, zoned)
        return cls(inputs, target, tuple(targets), classes, class_weights, pairs, exposure)

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """The input columns and their kinds."""
        return {name: block.kind for block in self.inputs for name in block.columns}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the net's inputs."""
        return tuple(name for block in self.inputs for name in block.names)

    @property
    def lookups(self) -> tuple[tuple[int, int, int, str], ...]:
        """The inputs that hold codes of categories with learned vectors; see `inputs.lookups`."""
        return tuple(lookups(self.inputs))

    @property
    def plain(self) -> Array:
        """The inputs, by index, that say all there is to know about a row; the others repeat them in another form."""
        return np.flatnonzero([plain for block in self.inputs for plain in block.plain])

    @property
    def codes(self) -> Array:
        """The inputs, by index, that number the categories of a column with learned vectors."""
        return np.array([index for index, *_ in self.lookups], np.intp)

    @property
    def facts(self) -> Facts:
        """The sizes that a net must match: features, classes and targets."""
        n_features = len(self.names) + sum(width - 1 for _, _, width, _ in self.lookups)
        n_classes = len(self.classes) if self.classes else 2 if self.pairs else None
        return Facts(n_features, n_classes, len(self.targets))

    def assign_folds(self, n_rows: int, seed: int) -> dict[str, Array]:
        """Return the fold of each training row, (rows,), for every column whose step fits by folds."""
        blocks = [block for block in self.inputs if isinstance(block, CategoryInput)]
        folds = {block.column: block.step.assign_folds(n_rows, seed) for block in blocks}
        return {column: fold for column, fold in folds.items() if fold is not None}

    def encode(self, table: Table, dtype: Any, folds: FoldsByColumn | None = None, marks: Array | None = None) -> Array:
        """Return the net's inputs, (rows, features), in `dtype`. Columns are found by name; others are ignored.

        For training rows, `folds` is the result of `assign_folds`. With `marks` (rows,), rows that cannot be used are
        marked there; without it, the first of them raises `DataError`.
        """
        self.require_columns(table)
        unusable = UnusableRows(marks)
        columns = [block.read(table, unusable, folds or {}) for block in self.inputs]
        widths = [len(block.names) for block in self.inputs]
        X = np.empty((table.n_rows, sum(widths)), dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # overflow is refused below
            parts = [block.rows_of(read) for block, read in zip(self.inputs, columns, strict=True)]
            step = max(NUMBERS_IN_CACHE // max(X.shape[1], 1), 1)
            for start in range(0, len(X), step):
                rows, at = slice(start, start + step), 0
                for part, width in zip(parts, widths, strict=True):
                    X[rows, at : at + width] = part(rows)
                    at += width
            finite = np.isfinite(X.sum(dtype=np.float64))  # a sum is fast, and not finite if any number is not
        if not finite:
            _refuse_infinite(X, table, [name for block in self.inputs for name in block.origins], unusable)
        return X

    def operations(self, columns: Mapping[str, Value], dtype: DType) -> tuple[Value, Value]:
        """Return the inputs of the net as operations of a pipeline, (features,), and which rows are usable, (1,)."""
        blocks = [block.operations(columns) for block in self.inputs]
        with part("inputs"):
            X = cast(concatenate([inputs for inputs, _ in blocks]), dtype)
        with part("usable inputs"):
            usable = all_last(is_finite(X))
        with part("usable rows"):
            for _, of_block in blocks:
                usable = usable if of_block is None else logical_and(usable, of_block)
        return X, usable

    def require_columns(self, table: Table) -> None:
        """Raise `DataError` when the table lacks an input column."""
        missing = [name for name in self.kinds if not (name in table.columns or name in table.unreadable)]
        if missing:
            names = list(map(named, missing[:5]))
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            near = listing(map(named, dict.fromkeys(table.nearest(missing[:5]).values())))
            has = f"; it has {near}" if near else table.delimiter_hint
            listed = f"{', '.join(names)}{more}" if more else listing(names)
            raise DataError(f"{table.name} lacks {counted(len(missing), 'column')}: {listed}{has}")

    def truth(self, table: Table) -> Array:
        """Return the target as recorded: class indices (rows,), or values in the target's units (rows, n_targets).

        Of targets that are labels, 1 stands for the second of the two, (rows, n_targets). Counts with an exposure are
        rates.
        """
        return _truth(table, self.targets, self.classes, self.pairs, self.exposure)

    def scale_target(self, truth: Array) -> Array:
        """Return the target in the net's units: class indices stay, values (rows, n_targets) are transformed."""
        return truth if self.classes or self.pairs else self.target.forward(truth)

    def weights(self, table: Table, truth: Array, column: str | None, dtype: Any) -> Array | None:
        """Return the weight of each row, (rows,), from its class, its exposure and a column, or None."""
        if not self.class_weights and column is None and self.exposure is None:
            return None
        weights = np.ones(table.n_rows) if self.exposure is None else exposures(table, self.exposure)
        if self.class_weights:
            weights *= np.array(self.class_weights)[truth]
            if weights.max(initial=0) > np.finfo(dtype).max:
                raise DataError(f"class weights must be within the range of {np.dtype(dtype)}, found {weights.max():g}")
        if column is not None:
            values = row_weights(table, column)
            with np.errstate(over="ignore"):  # overflow is refused
                _refuse_infinite((weights * values).astype(dtype)[:, None], table, [column], UnusableRows())
            weights *= values
        return np.asarray(weights.astype(dtype))

    def encode_target(
        self, table: Table, dtype: Any, allowed: tuple[float, float] | None = None
    ) -> tuple[Array, Array]:
        """Return the target as recorded, and in the net's units and dtype; for classes both are the class indices.

        Raises `DataError` when a number lies outside the range `allowed`.
        """
        truth = self.truth(table)
        if self.classes or self.pairs:
            return truth, truth
        low, high = allowed or (-np.inf, np.inf)
        outside = (truth < low) | (truth > high)
        if outside.any():
            row, j = np.argwhere(outside)[0]
            bounds = f"numbers of {low:g} or more" if high == np.inf else f"numbers from {low:g} to {high:g}"
            raise table.error(int(row), self.targets[j], bounds, TARGET)
        with np.errstate(over="ignore"):  # overflow is refused
            scaled = self.scale_target(truth).astype(dtype)
        _refuse_infinite(scaled, table, self.targets, UnusableRows())
        return truth, scaled

    def unscale_target(self, y_hat: Array) -> Array:
        """Return the net's predictions in the target's units, float64; probabilities stay as they are."""
        if self.classes or self.pairs:
            return y_hat
        return np.asarray(self.target.inverse(y_hat.astype(np.float64)))

    def unscale_bounds(self, bounds: Array) -> Array:
        """Return bounds of numbers in the target's units, not limited to the range of the training rows by `clamp`."""
        return self.target.inverse(bounds, limited=False)

    def to_json(self) -> dict[str, Any]:
        """Return the fits as JSON values; the steps themselves are in the config."""
        return {
            "inputs": [block.to_json() for block in self.inputs],
            "target": self.target.to_json(),
            "targets": list(self.targets),
            "classes": list(self.classes) if self.classes else None,
            "class_weights": list(self.class_weights) if self.class_weights else None,
            "pairs": [list(pair) for pair in self.pairs],
            "exposure": self.exposure,
        }

    @classmethod
    def from_json(cls, fitted: Mapping[str, Any], preprocessing: Preprocessing) -> Self:
        """Restore an encoder from the result of `to_json`. Raises `ValueError` when it is not consistent."""
        if "numbers" in fitted:  # run format 1 has one step for all inputs
            numbers = {"kind": "number", "columns": fitted["features"], "fits": [fitted["numbers"]]}
            target = {"columns": [] if fitted["classes"] else fitted["targets"], "fits": [fitted["target"]]}
            fitted = {**fitted, "inputs": [numbers], "target": target}
        classes, weights = tuple(fitted["classes"] or ()), tuple(map(float, fitted.get("class_weights") or ()))
        pairs = tuple((first, second) for first, second in fitted.get("pairs", ()))
        for labels in (classes, *pairs):
            kinds = {type(label) for label in labels}
            if len(kinds) > 1 or not kinds <= {str, int, bool} or len(set(labels)) < len(labels):
                raise ValueError("its classes are not distinct labels of one type")
        if pairs and len(pairs) != len(fitted["targets"]):
            raise ValueError("it does not have two labels for each target")
        if weights and len(weights) != len(classes):
            raise ValueError("it does not have one weight for each class")
        return cls(
            tuple(block_from_json(block, preprocessing) for block in fitted["inputs"]),
            NumberInputs.from_json(fitted["target"], preprocessing.target or (Unchanged(),)),
            tuple(fitted["targets"]),
            classes or None,
            weights or None,
            pairs,
            fitted.get("exposure"),
        )


def _truth(
    table: Table,
    targets: Sequence[str],
    classes: tuple[Label, ...] | None,
    pairs: Sequence[tuple[Label, Label]],
    exposure: str | None,
) -> Array:
    if classes:
        return class_indices(table, targets[0], classes)
    if pairs:
        return label_indices(table, targets, pairs)
    numbers = np.stack([_target_numbers(table, name) for name in targets], axis=1)
    return numbers if exposure is None else numbers / exposures(table, exposure)[:, None]


def _indicators(truth: Array, n: int) -> Array:
    """Return indicators of the classes, (rows, n); for two classes (rows, 1), which mark the second class."""
    return np.eye(n)[truth] if n > 2 else truth[:, None].astype(np.float64)


def _refuse_infinite(values: Array, table: Table, names: Sequence[str], unusable: UnusableRows) -> None:
    """Refuse rows with a number that is not finite in values (rows, n), whose columns come from the `names`."""
    for j, name in enumerate(names):
        unusable.check(~np.isfinite(values[:, j]), table, name, f"numbers within the range of {values.dtype}")
    if unusable.marks is not None:
        values[unusable.marks] = 0


def _target_numbers(table: Table, name: str) -> Array:
    try:
        return table.numbers(name)
    except DataError as error:
        if error.problem == "empty cells":
            raise DataError(f"{error}; {IF_MISSING}", error.problem) from None
        if not isinstance(table.column(name), Texts):
            raise
        raise DataError(f"{error}; to predict classes, use a loss for classes such as cross_entropy") from None
