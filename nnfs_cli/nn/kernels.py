"""Array operations with the same results as NumPy's, by the route that is fastest for the shapes of a net."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array

SMALL = 256  # entries; BLAS is three times slower with a transposed matrix of at most this size
MANY = 512  # rows; fewer do not repay the extra calls of a faster route
TILE = 64  # number of short rows that are treated as one long row
SHORT = 16  # entries; longer rows are not worth tiling


def matmul(a: Array, b: Array, out: Array) -> Array:
    """Write the matrix product a @ b into `out` and return it.

    For two matrices `dot` computes the same as `matmul` with less overhead.
    """
    if b.ndim > 2:
        return np.matmul(a, b, out=out)
    if b.size <= SMALL and len(a) >= MANY:
        b = np.ascontiguousarray(b)
    return a.dot(b, out=out)


def tiles_pay(rows: Array) -> bool:
    """Return whether `add_tiled` is faster than a plain addition of a vector to each of the rows (n_rows, n)."""
    return len(rows) >= MANY and rows.ndim == 2 and 1 < rows.shape[1] <= SHORT


def add_tiled(rows: Array, vector: Array, tile: Array) -> None:
    """Add a vector (n,) to each of the rows (n_rows, n), in place; `tile` (TILE, n) is a buffer to work in.

    NumPy has an overhead for every row. Taking TILE short rows for one long row is four times as fast.
    """
    n = rows.shape[1]
    tile[...] = vector
    whole = len(rows) // TILE * TILE
    long_rows = rows[:whole].reshape(-1, TILE * n)
    np.add(long_rows, tile.reshape(-1), out=long_rows)
    np.add(rows[whole:], vector, out=rows[whole:])


def over_inner_axes(weight: Array, ndim: int) -> Array:
    """Return a view of matrices (members?, n, m) for which `np.matmul` pairs members with x of `ndim` axes."""
    if ndim == weight.ndim:
        return weight
    inner = (1,) * (ndim - weight.ndim)
    return weight.reshape(*weight.shape[:-2], *inner, *weight.shape[-2:])
