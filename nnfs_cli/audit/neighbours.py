"""The nearest other rows of each row."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.inspection.column_relations import evenly_spaced

NEAREST = 10  # other rows
MOST_ROWS = 10_000  # that are compared with each other, evenly spaced
BLOCK = 1 << 22  # distances at a time


class Neighbours(NamedTuple):
    """The nearest other rows among some `rows` (n,) of a table, the nearest first.

    `distance` (n, k) and `place` (n, k): the places of the neighbours in the table.
    """

    rows: Array
    distance: Array
    place: Array


def neighbours(Z: Array) -> Neighbours:
    """Return the nearest other rows of at most `MOST_ROWS` rows with coordinates Z (rows, n), by Euclidean distance."""
    rows = evenly_spaced(len(Z), MOST_ROWS)
    Z = np.ascontiguousarray(Z[rows])
    k = min(NEAREST, len(rows) - 1)
    square = np.einsum("ij,ij->i", Z, Z)
    distance, place = np.empty((len(rows), k)), np.empty((len(rows), k), np.intp)
    size = max(1, BLOCK // max(len(rows), 1))
    for start in range(0, len(rows) if k else 0, size):
        here = slice(start, start + size)
        found = square - 2 * (Z[here] @ Z.T)
        found[np.arange(len(found)), np.arange(start, start + len(found))] = math.inf
        near = np.argpartition(found, k - 1, axis=1)[:, :k]
        exact = np.sqrt(np.square(Z[here, None].astype(np.float64) - Z[near]).sum(axis=2))  # the sums above are rounded
        order = np.lexsort((near, exact), axis=1)
        distance[here] = np.take_along_axis(exact, order, axis=1)
        place[here] = rows[np.take_along_axis(near, order, axis=1)]
    return Neighbours(rows, distance, place)
