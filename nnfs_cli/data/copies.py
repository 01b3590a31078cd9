"""Copies of rows, told from rows that are equal because their columns have few different values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from nnfs_cli.arrays import Array

HALVES = 4  # times that the numbers are divided at random into two halves
LEAST = 0.5  # share of copies among rows that are equal in a half, above which the half can tell copies
_SALT = 0x9E3779B97F4A7C15


def units_of_copies(numbers: Sequence[Array], others: Sequence[Array]) -> Array:
    """Return the unit of each row, (rows,): copies of one row share a unit; units count from 0 by their first rows.

    Columns (rows,) hold numbers, or fingerprints of type uint64. Rows that are equal in all columns are copies if no
    other row is equal to them in some half of `numbers`, in which most rows that are equal are so in all columns.
    Where columns have few different values, their halves come together in many ways, and equal rows are to be expected
    of new rows, too. So there are no copies without `numbers`.

    >>> x, z, y = np.array([0.25, 1.75, 0.25, 0.5]), np.array([3.5, 0.125, 3.5, 2.0]), np.array([1, 0, 1, 0])
    >>> units_of_copies([x, z], [y])
    array([0, 1, 0, 2])
    """
    n_rows = len([*numbers, *others][0])
    own = np.arange(n_rows)
    if not numbers:
        return own
    hashes = row_hashes((*numbers, *others))
    _, first, places, counts = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    if len(counts) == n_rows:
        return own
    rng, size = np.random.default_rng(0), -(-len(numbers) // 2)
    equal, alone = counts[places], np.zeros(n_rows, bool)
    for _ in range(HALVES):
        order = rng.permutation(len(numbers))
        for half in (order[:size], order[-size:]):
            of_rows = row_hashes(numbers[i] for i in half)
            _, of_half, found = np.unique(of_rows, return_inverse=True, return_counts=True)
            in_half = found[of_half]
            here = in_half == equal
            if here[in_half > 1].mean() > LEAST:
                alone |= here
    return np.unique(np.where(alone, first[places], own), return_inverse=True)[1]


def equal_rows(X: Array) -> Array:
    """Return the unit of each row, (rows,), for X (rows, columns): equal rows share one, counted by their first rows.

    >>> equal_rows(np.array([[5, 1], [2, 1], [5, 1]]))
    array([0, 1, 0])
    """
    _, first, places = np.unique(row_hashes(X.T), return_index=True, return_inverse=True)
    return np.unique(first[places], return_inverse=True)[1]


def fingerprints(numbers: Array) -> Array:
    """Return 64 bits for each number, uint64: the same for equal numbers, and for NaN."""
    numbers = numbers.astype(np.float64) + 0.0  # turn -0.0 into 0.0
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(np.uint64)


def _mixed(numbers: Array) -> Array:
    """Mix the bits of 64-bit numbers one to one (the end of splitmix64; Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(numbers ^ (numbers >> np.uint64(31)))


def row_hashes(columns: Iterable[Array]) -> Array:
    """Return a hash of each row of one or more columns (rows,), uint64: the same for equal rows.

    Columns are taken one at a time. A hash is the sum of the mixed bits of the cells.
    """
    total = np.zeros(1, np.uint64)
    for place, column in enumerate(columns):
        bits = column if column.dtype == np.uint64 else fingerprints(column)
        total = total + _mixed(bits + np.uint64(_SALT * (place + 1) % 2**64))
    return total
