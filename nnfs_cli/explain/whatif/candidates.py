"""Rows that differ from a given row in some cells, and what a net predicts for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Column, Table, concatenate_columns
from nnfs_cli.data.weighted import exposures
from nnfs_cli.explain.whatif.cells import Cells, NumberCells
from nnfs_cli.explain.whatif.wanted import Wanted
from nnfs_cli.prediction.predictor import Predictor

ROWS_AT_ONCE = 4_096  # rows that are predicted at a time
PER_COLUMN = 0.1  # what each changed column costs, besides its distance


class Candidates:
    """Rows that differ from a row in the cells of some columns.

    Each row is an array of codes (columns,), see `cells`; NaN is the cell as it is. `row` is a table of one row. Of two
    columns that a range was read into, `ranges` has the indices: the first must not be above the second.
    """

    def __init__(
        self,
        predictor: Predictor,
        row: Table,
        cells: Sequence[Cells],
        wanted: Wanted,
        ranges: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.predictor, self.row, self.cells, self.wanted, self.ranges = predictor, row, cells, wanted, ranges
        self.tried = 0  # rows that were predicted
        encoder = predictor.encoder
        self.X = encoder.encode(row, predictor.model.dtype)
        origins = [origin for block in encoder.inputs for origin in block.origins]
        self._inputs = [np.flatnonzero([origin == one.name for origin in origins]) for one in cells]
        exposure = encoder.exposure
        self._exposure = float(exposures(row, exposure)[0]) if exposure is not None and row.has(exposure) else None

    def cost(self, rows: Array) -> Array:
        """Return what the changes of rows (n, columns) cost, (n,): the sum of their distances, and 0.1 for each."""
        total = np.zeros(len(rows))
        for j, cells in enumerate(self.cells):
            changed = np.flatnonzero(~np.isnan(rows[:, j]))
            if len(changed):
                total[changed] += PER_COLUMN + cells.distance(rows[changed, j])
        return total

    def shortfall(self, rows: Array) -> Array:
        """Return how far rows (n, columns) are from what is wanted, (n,): 0 where it is reached, infinite if unusable.

        See `Wanted.shortfall`.
        """
        parts = [self._shortfall(rows[i : i + ROWS_AT_ONCE]) for i in range(0, len(rows), ROWS_AT_ONCE)]
        self.tried += len(rows)
        return np.concatenate(parts) if parts else np.empty(0)

    def inputs(self, rows: Array) -> Array:
        """Return the inputs of the net for rows (n, columns), (n, features)."""
        return self._encoded(rows)[0]

    def answer(self, rows: Array, member: int | None = None) -> Array:
        """Return the predictions of rows (n, columns) as `Predictor.answer` does, of all members or of one."""
        return self._answer(self.inputs(rows), member)

    def table(self, rows: Array) -> Table:
        """Return rows (n, columns) as a table that the net can read."""
        n, columns = len(rows), self._repeated(len(rows))
        for j, cells in enumerate(self.cells):
            changed = np.flatnonzero(~np.isnan(rows[:, j]))
            if len(changed):
                columns[cells.name] = _put(columns[cells.name], changed, cells.column(rows[changed, j]), n)
        return self._table(columns)

    def _shortfall(self, rows: Array) -> Array:
        X, unusable = self._encoded(rows)
        for low, high in self.ranges:
            below, above = (self._codes(rows, j) for j in (low, high))
            unusable |= below > above
        return np.where(unusable, np.inf, self.wanted.shortfall(self._answer(X)))

    def _codes(self, rows: Array, j: int) -> Array:
        cells = self.cells[j]
        present = cells.present if isinstance(cells, NumberCells) else np.nan
        return np.where(np.isnan(rows[:, j]), present, rows[:, j])

    def _answer(self, X: Array, member: int | None = None) -> Array:
        one = None if member is None else np.full(len(X), member)
        answer = self.predictor.answer(self.predictor.outputs_for(X, one))
        return answer if self._exposure is None else answer * self._exposure

    def _encoded(self, rows: Array) -> tuple[Array, Array]:
        """Return the inputs of the net for rows, and which of them cannot be used, (n,).

        Every input depends on one column, so each cell is encoded once.
        """
        X, unusable = np.repeat(self.X, len(rows), axis=0), np.zeros(len(rows), bool)
        changed = [np.flatnonzero(~np.isnan(rows[:, j])) for j in range(len(self.cells))]
        distinct = [np.unique(rows[at, j], return_inverse=True) for j, at in enumerate(changed)]
        starts = np.cumsum([0, *(len(codes) for codes, _ in distinct)])
        total = int(starts[-1])
        if not total:
            return X, unusable
        columns = self._repeated(total)
        for j, (codes, _) in enumerate(distinct):
            if len(codes):
                at = np.arange(starts[j], starts[j + 1])
                columns[self.cells[j].name] = _put(columns[self.cells[j].name], at, self.cells[j].column(codes), total)
        marks = np.zeros(total, bool)
        encoded = self.predictor.encoder.encode(self._table(columns), self.predictor.model.dtype, marks=marks)
        for j, (_, place) in enumerate(distinct):
            if len(changed[j]):
                at = starts[j] + place
                X[np.ix_(changed[j], self._inputs[j])] = encoded[np.ix_(at, self._inputs[j])]
                unusable[changed[j]] |= marks[at]
        return X, unusable

    def _repeated(self, n: int) -> dict[str, Column]:
        return {name: column[np.zeros(n, np.intp)] for name, column in self.row.columns.items()}

    def _table(self, columns: Mapping[str, Column]) -> Table:
        return replace(self.row, columns=columns, find=None, kept={}, faults={})


def _put(column: Column, at: Array, cells: Column, n: int) -> Column:
    """Return a column (n,) with other cells at some places."""
    places = np.arange(n)
    places[at] = n + np.arange(len(at))
    joined: Column = concatenate_columns([column, cells])[places]
    return joined
