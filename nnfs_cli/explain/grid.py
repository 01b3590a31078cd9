"""The cells of a column at which a net is asked what it predicts: quantiles of numbers and dates, frequent categories.

A cell of the grid is that of a row, with everything that the row's encoding makes of it, so no cell is made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.profile import numbers_or_days
from nnfs_cli.data.table import Kind, Table, gaps_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.display.text import value
from nnfs_cli.prediction.predictor import Predictor

POINTS = 20  # of numbers and dates
LEVELS = 12  # the most frequent categories
ENDS = 0.02, 0.98  # quantiles that a grid begins and ends with, as the outermost cells are often odd


@dataclass(frozen=True)
class Grid:
    """Some cells of a column: their `texts`, and their `inputs` (cells, inputs of the column) of the net.

    `places` (cells,) are the numbers, or the days since 1970, where the column has an order; None for categories.
    `shares` (cells,) are the shares of the rows at each cell, or around it. The last cell is `empty` if some rows have
    no cell.
    """

    column: str
    kind: Kind
    texts: tuple[str, ...]
    places: Array | None
    inputs: Array
    shares: Array
    empty: bool

    @property
    def ordered(self) -> int:
        """The number of cells that are in the order of their numbers or dates; 0 for categories."""
        return 0 if self.places is None else len(self.texts) - self.empty

    @property
    def known_places(self) -> tuple[float, ...] | None:
        """The places as plain numbers, 0 for the empty cell, which has none."""
        return None if self.places is None else tuple(np.nan_to_num(self.places).tolist())


def grid_of(
    predictor: Predictor, table: Table, column: str, inputs: Mapping[str, Array], points: int = POINTS
) -> Grid | None:
    """Return the cells of a column, chosen among the rows of a table; None if all cells are the same.

    `inputs` are those of each column of the net, see `inputs_by_column`.
    """
    name = _read_as(predictor, column)
    kind = predictor.encoder.kinds[name]
    gaps = gaps_of(table.column(name))
    numbers = None if kind == "category" else numbers_or_days(table, name, kind)
    chosen, shares = _categories(table.texts(name)) if numbers is None else _quantiles(numbers, gaps, points)
    if numbers is not None and gaps.any():
        shares = np.append(shares * (1 - gaps.mean()), gaps.mean())
        chosen = np.append(chosen, np.argmax(gaps))
    if len(chosen) < 2:
        return None
    rows = table.take(chosen)
    X = predictor.encoder.encode(rows, predictor.model.dtype)
    places = None if numbers is None else numbers[chosen]
    texts = tuple(rows.text_of(i, name) for i in range(len(chosen)))
    if kind == "number" and places is not None:
        parser = predictor.config.dataset.parsers.get(column)
        words = None if parser is None else parser.words
        known = zip(texts, places.tolist(), strict=True)
        texts = tuple(text if text in ("", "true", "false") else value(place) for text, place in known)
        if words is not None:
            texts = tuple(text and words[int(text)] for text in texts)
    return Grid(column, kind, texts, places, X[:, inputs[column]], shares, bool(gaps[chosen[-1]]))


def _read_as(predictor: Predictor, column: str) -> str:
    """Return the column that is read from a column of the table: the same, or the first that its parser makes."""
    parser = predictor.config.dataset.parsers.get(column)
    return column if parser is None else next(n for n in parser.outputs(column) if n in predictor.encoder.kinds)


def _quantiles(numbers: Array, gaps: Array, points: int) -> tuple[Array, Array]:
    """Return rows (points,) at quantiles of the numbers that are not empty, and the share of these rows at each."""
    order = np.argsort(np.where(gaps, np.inf, numbers), kind="stable")[: int((~gaps).sum())]
    if not len(order):
        return order, np.empty(0)
    different, first, counts = np.unique(numbers[order], return_index=True, return_counts=True)
    if len(different) <= points:
        return order[first], counts / len(order)
    ends = np.linspace(*ENDS, points)
    at = np.unique(numbers[order[np.round(ends * (len(order) - 1)).astype(np.intp)]])
    if 2 * len(at) < points:  # most cells are equal, such as 0: those that differ say more
        at = np.union1d(at, different[np.round(ends[::2] * (len(different) - 1)).astype(np.intp)])
    nearest = np.searchsorted((at[1:] + at[:-1]) / 2, numbers[order])
    return order[first[np.searchsorted(different, at)]], np.bincount(nearest, minlength=len(at)) / len(order)


def _categories(texts: Texts) -> tuple[Array, Array]:
    """Return a row of each of the most frequent categories, an empty cell among them, and the shares of all rows."""
    codes, first, counts = np.unique(texts.codes, return_index=True, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:LEVELS]
    frequent = np.append(frequent[codes[frequent] >= 0], frequent[codes[frequent] < 0])
    return first[frequent], counts[frequent] / counts.sum()
