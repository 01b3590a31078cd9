"""Partial dependence: what a net predicts on average when all rows have the same cell in one column.

The curves of single rows (individual conditional expectations) show whether the column does the same to all of them,
and those of the members of an ensemble how sure the net is of its shape.
Sources: Friedman, "Greedy Function Approximation: A Gradient Boosting Machine" (2001), section 8.2; Goldstein et al.,
"Peeking Inside the Black Box: Visualizing Statistical Learning with Plots of Individual Conditional Expectation"
(2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.explain.answers import Answers, over_grid
from nnfs_cli.explain.grid import Grid
from nnfs_cli.prediction.predictor import Predictor

ROWS = 400  # whose answers are averaged
CURVES = 25  # rows with a curve of their own
MEMBERS = 8  # whose curves make the band


@dataclass(frozen=True)
class Dependence:
    """The mean answers at some cells of a column.

    `cells` are their texts; `places` are numbers, or days since 1970, and None for categories. The last cell is `empty`
    if some rows have none, and has no place in the order. `mean` is by answer, then by cell, and `low` to `high` is the
    range of the members' means, None for a single net. The answer `main` varies most, and `curves`, by row, then by
    cell, are of that one. `answers` are the names of all answers, such as "probability of benign" or "price".
    """

    column: str
    kind: str
    cells: tuple[str, ...]
    places: tuple[float, ...] | None
    shares: tuple[float, ...]
    empty: bool
    answers: tuple[str, ...]
    main: int
    mean: tuple[tuple[float, ...], ...]
    low: tuple[tuple[float, ...], ...] | None
    high: tuple[tuple[float, ...], ...] | None
    curves: tuple[tuple[float, ...], ...]

    @property
    def is_curve(self) -> bool:
        """Whether the cells are numbers to draw a curve over; two of them are no curve."""
        return self.kind == "number" and self.places is not None and len(self.cells) - self.empty > 2

    @property
    def is_whole(self) -> bool:
        """Whether its parts have the lengths that they should have, which a record may lack."""
        cells = [self.cells, self.shares, *([] if self.places is None else [self.places]), *self.curves]
        of_answers = [each for each in (self.mean, self.low, self.high) if each is not None]
        whole = {*map(len, cells), *(len(row) for rows in of_answers for row in rows)} == {len(self.cells)} != {0}
        return whole and {*map(len, of_answers)} == {len(self.answers)} and 0 <= self.main < len(self.answers)

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest mean of the main answer."""
        return min(self.mean[self.main]), max(self.mean[self.main])


def dependence(predictor: Predictor, X: Array, places: Array, grid: Grid, weight: Array | None = None) -> Dependence:
    """Return the dependence of a net's answers on a column, for rows X (rows, inputs) in random order.

    The first 400 rows are averaged, weighted by `weight` (rows,). `places` are the inputs of the column.
    """
    X, weight = X[:ROWS], None if weight is None else weight[:ROWS]
    found = over_grid(predictor, X, places, grid.inputs)  # (cells, rows, answers)
    mean = np.average(found, axis=1, weights=weight).T
    shares = grid.shares / grid.shares.sum()
    spread = np.average(np.square(mean - (mean @ shares)[:, None]), axis=1, weights=shares)
    main = int(spread.argmax())
    members = predictor.config.members
    bounds: tuple[Array, Array] | None = None
    if members > 1:
        some = evenly_spaced(members, MEMBERS).tolist()
        means = [
            np.average(over_grid(predictor, X, places, grid.inputs, one), axis=1, weights=weight).T for one in some
        ]
        bounds = np.min(means, axis=0), np.max(means, axis=0)
    return Dependence(
        grid.column,
        grid.kind,
        grid.texts,
        grid.known_places,
        tuple(shares.tolist()),
        grid.empty,
        Answers.of(predictor).names,
        main,
        _nested(mean),
        None if bounds is None else _nested(bounds[0]),
        None if bounds is None else _nested(bounds[1]),
        _nested(found[:, :CURVES, main].T),
    )


def _nested(values: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.tolist())
