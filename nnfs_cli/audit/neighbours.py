"""The nearest other rows of each row."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array

NEAREST = 10  # other rows
BLOCK = 1 << 22  # distances at a time


class Neighbours(NamedTuple):
    """The nearest other rows of each row, the nearest first: their `distance` and their `place`, (rows, k) each."""

    distance: Array
    place: Array


def neighbours(Z: Array) -> Neighbours:
    """Return the nearest other rows of rows with coordinates Z (rows, n), by Euclidean distance."""
    Z, n_rows = np.ascontiguousarray(Z), len(Z)
    k = max(min(NEAREST, n_rows - 1), 0)
    square = np.einsum("ij,ij->i", Z, Z)
    distance, place = np.empty((n_rows, k)), np.empty((n_rows, k), np.intp)
    size = max(1, BLOCK // max(n_rows, 1))
    for start in range(0, n_rows if k else 0, size):
        here = slice(start, start + size)
        found = square - 2 * (Z[here] @ Z.T)
        found[np.arange(len(found)), np.arange(start, start + len(found))] = math.inf
        near = np.argpartition(found, k - 1, axis=1)[:, :k]
        exact = np.sqrt(np.square(Z[here, None].astype(np.float64) - Z[near]).sum(axis=2))  # the sums above are rounded
        order = np.lexsort((near, exact), axis=1)
        distance[here] = np.take_along_axis(exact, order, axis=1)
        place[here] = np.take_along_axis(near, order, axis=1)
    return Neighbours(distance, place)
