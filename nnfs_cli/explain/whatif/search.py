"""Search the nearest rows with another answer: first one column, then pairs, then more, then back towards the row.

The search is a beam over the columns that change (Lowerre, "The Harpy speech recognition system", 1976), on a grid of
cells, followed by moves that make the changes smaller. It is deterministic, and the rows that it tries are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.explain.whatif.candidates import Candidates

WIDE, NARROW, FINE, CROSSED = 41, 9, 33, 17  # cells of a column: alone, among pairs, and on the way back
LEVELS = 1_000  # categories of a column that are tried alone
SCREENED = 30  # columns that are combined: those that bring the row nearest to what is wanted
BEAM = 16  # rows that are changed further
DEEPEST = 8  # columns that change together, at most
SETS = 8  # sets of columns whose changes are made smaller
ROUNDS = 6  # of moves for each of them


class Found(NamedTuple):
    """Rows with the wanted answer, the nearest first, (n, columns), and the row that came nearest to the answer."""

    reached: Array
    best: Array


def nearest_rows(rows: Candidates, most: int, made_of: Sequence[str]) -> Found:
    """Return up to `most` rows that have what is wanted, each with changes in other columns.

    `made_of` names the column of the file that each column comes from: a range is read into two.
    """
    search = _Search(rows)
    search.explore()
    refined: dict[frozenset[str], tuple[float, Array]] = {}
    for row in search.cheapest(max(SETS, 2 * most)):
        small = search.smaller(row)
        cost, columns = float(rows.cost(small[None])[0]), frozenset(made_of[j] for j in _changed(small))
        if columns not in refined or cost < refined[columns][0]:
            refined[columns] = cost, small
    chosen: dict[frozenset[str], Array] = {}
    for columns, (_, row) in sorted(refined.items(), key=lambda item: (item[1][0], sorted(item[0]))):
        if not any(columns >= other for other in chosen):
            chosen[columns] = row
    n = len(rows.cells)
    return Found(np.array([*chosen.values()][:most]).reshape(-1, n), search.best)


class _Search:
    """The rows that were tried: the cheapest with the answer by the columns that change, and the best without it."""

    def __init__(self, rows: Candidates) -> None:
        self.rows, self.n = rows, len(rows.cells)
        self.reached: dict[frozenset[int], tuple[float, Array]] = {}
        self.best = np.full(self.n, np.nan)
        self.least = float(rows.shortfall(self.best[None])[0])

    def explore(self) -> None:
        """Change one column, then pairs, then as many as it takes."""
        singles, short = self._try(self._singles())
        by_column = [np.flatnonzero(~np.isnan(singles[:, j])) for j in range(self.n)]
        gains = [short[at].min(initial=np.inf) for at in by_column]
        columns = [int(j) for j in np.argsort(gains, kind="stable")[:SCREENED] if len(by_column[j])]
        few = {j: self._few(j, singles[by_column[j], j], short[by_column[j]]) for j in columns}
        if self.n < 2:
            return
        rows, short = self._try(
            np.concatenate([self._pairs(i, j, few) for i, j in combinations(columns, 2)] or [singles])
        )
        for _ in range(2, min(DEEPEST, len(columns))):
            if self.reached or not len(rows):
                return
            beam = self._beam(rows, short)
            rows, short = self._try(np.concatenate([self._extended(row, few) for row in beam]))

    def cheapest(self, most: int) -> list[Array]:
        """Return the cheapest rows that have the answer, first those whose columns no cheaper one changes, too."""
        ordered = sorted(self.reached.items(), key=lambda item: (item[1][0], sorted(item[0])))
        apart: list[frozenset[int]] = []
        for columns, _ in ordered:
            if not any(columns >= other for other in apart):
                apart.append(columns)
        first = [*apart[:most], *(columns for columns, _ in ordered[: most // 2] if columns not in apart)]
        return [self.reached[columns][1] for columns in first]

    def smaller(self, row: Array) -> Array:
        """Return a row with the answer and smaller changes in the same columns, or in some of them."""
        cost = float(self.rows.cost(row[None])[0])
        for _ in range(ROUNDS):
            moves = np.concatenate([*self._moves(row)])
            costs = self.rows.cost(moves)
            moves = moves[np.argsort(costs, kind="stable")][: np.count_nonzero(costs < cost - 1e-9)]
            reached = np.flatnonzero(self.rows.shortfall(moves) == 0)
            if not len(reached):
                break
            row = moves[reached[0]]
            cost = float(self.rows.cost(row[None])[0])
        for j in sorted(_changed(row), key=lambda j: -self._distance(j, float(row[j]))):
            row = self._nearer(row, j)
        return row

    def _try(self, rows: Array) -> tuple[Array, Array]:
        """Predict rows, remember the best of them, and return them with their shortfalls."""
        short = self.rows.shortfall(rows)
        there = np.flatnonzero(short == 0)
        costs = self.rows.cost(rows[there])
        for i in np.argsort(costs, kind="stable"):
            columns = _changed(rows[there[i]])
            if columns not in self.reached or costs[i] < self.reached[columns][0]:
                self.reached[columns] = float(costs[i]), rows[there[i]]
        if len(short) and short.min() < self.least:
            self.least, self.best = float(short.min()), rows[int(short.argmin())]
        return rows, short

    def _row(self, changes: dict[int, Array]) -> Array:
        """Return rows (n, columns) with these codes (n,), and unchanged cells else."""
        return self._with(np.full(self.n, np.nan), changes)

    def _singles(self) -> Array:
        grids = [(j, cells.grid(WIDE if cells.ordered else LEVELS)) for j, cells in enumerate(self.rows.cells)]
        return np.concatenate([self._row({j: codes}) for j, codes in grids])

    def _few(self, j: int, codes: Array, short: Array) -> Array:
        """Return a few codes of a column: evenly chosen, and the one that alone brings the row nearest; or the best."""
        order = np.argsort(short, kind="stable")
        if not self.rows.cells[j].ordered:
            return codes[order[:NARROW]]
        even = codes[evenly_spaced(len(codes), NARROW)]
        return np.unique([*even, codes[order[0]]])

    def _pairs(self, i: int, j: int, few: dict[int, Array]) -> Array:
        first, second = (each.ravel() for each in np.meshgrid(few[i], few[j], indexing="ij"))
        return self._row({i: first, j: second})

    def _beam(self, rows: Array, short: Array) -> list[Array]:
        """Return the rows to go on with: nearest to what is wanted, and nearest for what they cost; no set twice."""
        usable = np.flatnonzero(np.isfinite(short))
        gain = (short[usable].max(initial=0.0) - short[usable]) / np.maximum(self.rows.cost(rows[usable]), 1e-9)
        chosen: dict[frozenset[int], Array] = {}
        for order, room in (
            (np.argsort(short[usable], kind="stable"), BEAM // 2),
            (np.argsort(-gain, kind="stable"), BEAM),
        ):
            for i in usable[order]:
                if len(chosen) >= room:
                    break
                chosen.setdefault(_changed(rows[i]), rows[i])
        return [*chosen.values()]

    def _extended(self, row: Array, few: dict[int, Array]) -> Array:
        parts = [np.full((0, self.n), np.nan)]
        for j, codes in few.items():
            if np.isnan(row[j]):
                parts.append(self._with(row, {j: codes}))
        return np.concatenate(parts)

    def _moves(self, row: Array) -> Iterator[Array]:
        """Yield rows with smaller changes: of one column, or of one column for more of another."""
        changed = sorted(_changed(row))
        for j in changed:
            yield self._with(row, {j: np.array([np.nan])})
            yield self._with(row, {j: self._back(j, row[j], FINE)})
        for i, j in permutations(changed, 2):
            less = np.append(self._back(i, row[i], CROSSED), np.nan)
            others = np.unique([*self.rows.cells[j].grid(CROSSED), *self._back(j, row[j], CROSSED)])
            first, second = (each.ravel() for each in np.meshgrid(less, others, indexing="ij"))
            yield self._with(row, {i: first, j: second})

    def _with(self, row: Array, changes: dict[int, Array]) -> Array:
        rows = np.repeat(row[None], len(next(iter(changes.values()))), axis=0)
        for j, codes in changes.items():
            rows[:, j] = codes
        return rows

    def _back(self, j: int, code: float, most: int) -> Array:
        return self.rows.cells[j].between((np.nan, code), most)

    def _distance(self, j: int, code: float) -> float:
        return float(self.rows.cells[j].distance(np.array([code]))[0])

    def _nearer(self, row: Array, j: int) -> Array:
        """Return the row with the cell of one column as near to the present one as it still has the answer."""
        cells, near, far = self.rows.cells[j], np.nan, float(row[j])
        while cells.ordered:
            codes = cells.between((near, far), FINE)
            codes = codes[(codes != near) & (codes != far)]
            if not len(codes):
                break
            there = np.flatnonzero(self.rows.shortfall(self._with(row, {j: codes})) == 0)
            first = int(there[0]) if len(there) else len(codes)
            near = codes[first - 1] if first else near
            far = codes[first] if first < len(codes) else far
        nearest: Array = self._with(row, {j: np.array([far])})[0]
        return nearest


def _changed(row: Sequence[float] | Array) -> frozenset[int]:
    return frozenset(np.flatnonzero(~np.isnan(row)).tolist())
