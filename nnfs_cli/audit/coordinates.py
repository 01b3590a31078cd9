"""Coordinates of rows, in which the distance of two rows says how much their cells differ.

A number or a date becomes the share of the rows that lie below it, so all columns count alike, whatever their units and
however skewed they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.profile import numbers_or_days
from nnfs_cli.data.table import Kind, Table

CATEGORIES = 20  # the most frequent ones of a column; all others are alike
DIFFERENT = 0.5  # distance of two categories, and of a cell and a gap; two numbers have 1/3 on average
KNOTS = np.linspace(0, 1, 101)  # shares, between which a line joins the quantiles


@dataclass(frozen=True)
class Coordinates:
    """Coordinates of rows (rows, n), and the column of the table, by index in `columns`, that each comes from."""

    values: Array
    columns: tuple[str, ...]
    origin: Array

    def contributions(self, one: Array, others: Array) -> Array:
        """Return the squared distances of rows from other rows, (n,) each, by column: (n, columns)."""
        squares = np.square(self.values[one].astype(np.float64) - self.values[others])
        found = np.zeros((len(one), len(self.columns)))
        np.add.at(found.T, self.origin, squares.T)
        return found


def coordinates(table: Table, kinds: Mapping[str, Kind]) -> Coordinates:
    """Return the coordinates of all rows of a table in the columns of these kinds."""
    parts, origin = [np.zeros((table.n_rows, 0), np.float32)], list[int]()
    for i, (name, kind) in enumerate(kinds.items()):
        part = _of_categories(table, name) if kind == "category" else _of_numbers(table, name, kind)
        parts.append(part)
        origin += [i] * part.shape[1]
    return Coordinates(np.concatenate(parts, axis=1), tuple(kinds), np.array(origin, np.intp))


def _of_numbers(table: Table, name: str, kind: Kind) -> Array:
    """Return the coordinates of a column of numbers or dates: its own, and one that marks gaps, if there are any."""
    values = numbers_or_days(table, name, kind)
    gaps = np.isnan(values)
    place = np.full(len(values), 0.5)
    if not gaps.all():
        place[~gaps] = shares_below(values[~gaps])
    found = [place] if not gaps.any() else [place, gaps * DIFFERENT]
    return np.stack(found, axis=1).astype(np.float32)


def shares_below(values: Array) -> Array:
    """Return about which share of values (n,) is less than each; equal ones count half.

    >>> shares_below(np.array([1.0, 2, 2, 2, 3]))
    array([0. , 0.5, 0.5, 0.5, 1. ])
    """
    knots, place = np.unique(np.quantile(values, KNOTS), return_inverse=True)
    return np.interp(values, knots, np.bincount(place, KNOTS) / np.bincount(place))


def _of_categories(table: Table, name: str) -> Array:
    """Return a coordinate for each of the most frequent categories, a gap among them."""
    codes = table.texts(name).codes.astype(np.intp) + 1
    counts = np.bincount(codes)
    kept = np.argsort(-counts, kind="stable")[: min(CATEGORIES, np.count_nonzero(counts))]
    place = np.full(len(counts), len(kept))
    place[kept] = np.arange(len(kept))
    return np.asarray((place[codes][:, None] == np.arange(len(kept))) * (DIFFERENT / np.sqrt(2)), np.float32)
