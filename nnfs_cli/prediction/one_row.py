"""Predict single rows fast: what a row shares with all others is prepared once.

Only rows that raise nothing and need no warning take this way. It calls the same steps and the same net with the same
arrays as `BatchPredictor`, so the answers have the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.inputs import CategoryInput, DateInput, InputBlock, NumberInputs, UnusableRows
from nnfs_cli.data.parsing.parsed_row import RowParser
from nnfs_cli.data.plain_row import NUMBERS, plain_row
from nnfs_cli.data.source import with_kinds
from nnfs_cli.data.table import Column, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.prediction.far_rows import FarRows, usual_range
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.threads import thread_limit

REMEMBERED = 4_096  # cells of a column of categories or dates whose inputs are kept
LARGEST = np.finfo(np.float64).max

Row = Mapping[str, Any]


class OneRow:
    """Predict one row at a time with a net.

    `inputs` describes the input columns of the training rows, as for `BatchPredictor`; without it, rows may be far from
    all training rows.
    """

    def __init__(self, predictor: Predictor, inputs: Sequence[Mapping[str, Any]] = ()) -> None:
        self.predictor, self._made_of = predictor, (predictor, inputs)
        kinds = predictor.encoder.kinds
        self._columns, self._ignored = kinds.keys(), predictor.ignored_columns
        given = predictor.config.dataset.parsers
        parsers = {name: parser for name, parser in given.items() if not kinds.keys().isdisjoint(parser.outputs(name))}
        self._parser = RowParser(parsers)
        self.only_numbers = {*kinds.values()} == {"number"} and not parsers
        described = {column["name"]: column for column in inputs}
        self._blocks: list[tuple[Callable[[Row], Array | None], slice]] = []
        start = 0
        for block in predictor.encoder.inputs:
            end = start + len(block.names)
            self._blocks.append((_inputs_of(block, described), slice(start, end)))
            start = end
        self._shape = 1, start

    def predict(self, data: Any) -> dict[str, Column] | None:
        """Return what `Predictor.predict` returns for a table that is one row; None for any other table.

        None also stands for a row that `BatchPredictor` warns about or refuses.
        """
        found = self._predict(data)
        return None if found is None else self.predictor.named(*found)

    def outputs(self, data: Any) -> Array | None:
        """Return what `Predictor.outputs` returns for a table that is one row; None as for `predict`."""
        found = self._predict(data)
        return None if found is None else self.predictor.answer(found[1])

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle what it was made of."""
        return type(self), self._made_of

    def _predict(self, data: Any) -> tuple[Array, Array] | None:
        """Return the inputs and the outputs of the net."""
        row = None if self.predictor.encoder.exposure is not None else plain_row(data, self.only_numbers)
        row = None if row is None else self._parser.parse(row)
        if row is None or (len(row) != len(self._columns) and not row.keys() - self._columns <= self._ignored):
            return None
        X = self._encode(row)
        if X is None:
            return None
        with thread_limit(1):
            y_hat = self.predictor.outputs_for(X)
        return (X, y_hat) if np.isfinite(y_hat).all() else None

    def _encode(self, row: Row) -> Array | None:
        """Return the net's inputs, (1, features), as `Encoder.encode` does."""
        X = np.empty(self._shape, self.predictor.model.dtype)
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                for inputs_of, place in self._blocks:
                    inputs = inputs_of(row)
                    if inputs is None:
                        return None
                    X[:, place] = inputs
        except (KeyError, OverflowError):  # a missing column, or a whole number that no float can hold
            return None
        return X if np.isfinite(X).all() else None


def _inputs_of(block: InputBlock, described: Mapping[str, Any]) -> Callable[[Row], Array | None]:
    """Return a function that gives the inputs of a block for a row, (1, inputs), or None for an unusual row."""
    if isinstance(block, NumberInputs):
        return _Numbers(block, described).inputs
    return _SingleCell(block, [described[block.column]] if block.column in described else []).inputs


class _Numbers:
    """The inputs of some columns of numbers that take the same steps."""

    def __init__(self, block: NumberInputs, described: Mapping[str, Any]) -> None:
        self.columns, self.allows_gaps, self.transform = block.columns, block.allows_gaps, block.ready()
        everything = -LARGEST, LARGEST
        ranges = [usual_range(described.get(name, {}), np.float64) or everything for name in block.columns]
        low, high = np.array(ranges).T.reshape(2, 1, -1)
        self.lowest, self.highest = np.maximum(low, -LARGEST), np.minimum(high, LARGEST)  # so infinity is outside

    def inputs(self, row: Row) -> Array | None:
        """Return the inputs for a row, (1, inputs)."""
        cells = [row[name] for name in self.columns]
        if not NUMBERS.issuperset(map(type, cells)):
            return None
        raw = np.array([cells], np.float64)
        usual = (raw >= self.lowest) & (raw <= self.highest)
        if self.allows_gaps:
            usual |= np.isnan(raw)
        return self.transform(raw) if usual.all() else None


class _SingleCell:
    """The inputs of a column of categories or dates. They are remembered for each cell, since cells recur."""

    def __init__(self, block: CategoryInput | DateInput, described: Sequence[Mapping[str, Any]]) -> None:
        self.block, self.described = block, described
        self.known: dict[Any, Array] = {}

    def inputs(self, row: Row) -> Array | None:
        """Return the inputs for a row, (1, inputs)."""
        cell = row[self.block.column]
        if not (isinstance(cell, date | None) if self.block.kind == "date" else cell is None) and type(cell) is not str:
            return None
        try:
            return self.known[cell]
        except KeyError:
            inputs = self._read(cell)
        if inputs is not None:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            self.known[cell] = inputs
        return inputs

    def _read(self, cell: Any) -> Array | None:
        name, unusable = self.block.column, UnusableRows(np.zeros(1, bool))
        if getattr(cell, "tzinfo", None) is not None:
            return None
        try:
            table = with_kinds(Table(name, {name: _column(cell)}), {name: self.block.kind})
            inputs = self.block.read(table, unusable, {})
        except (DataError, UnicodeError):
            return None
        far = FarRows(self.described)
        far.count(table)
        return None if far.found or unusable.marks is None or unusable.marks.any() else inputs


def _column(cell: Any) -> Column:
    """Return the column of one date, or of one text that may be missing."""
    if isinstance(cell, date):
        exact = getattr(cell, "to_datetime64", None)  # of pandas, whose dates have nanoseconds
        return np.array([exact() if exact else cell]).astype("datetime64[us]")
    return Texts.of([cell])
