"""Array operations with the same results as NumPy's, by the route that is fastest for the shapes of a net."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.helpers import do_together
from nnfs_cli.system.threads import allowed_threads

SMALL = 256  # entries; BLAS is three times slower with a transposed matrix of at most this size
MANY = 512  # rows; fewer do not repay the extra calls of a faster route
TILE = 64  # number of short rows that are treated as one long row
SHORT = 16  # entries; longer rows are not worth tiling
SHARE = 1 << 24  # multiplications of a product that are worth a thread
LARGE = 4_096  # entries; products with fewer are not worth a look at the number of threads
MOST_SHAPES = 1_000  # of products to remember
EDGE = 64  # products are cut at multiples of this, where BLAS begins a new block, so that no rounding changes


def matmul(a: Array, b: Array, out: Array) -> Array:
    """Write the matrix product a @ b into `out` and return it.

    For two matrices `dot` computes the same as `matmul` with less overhead.
    """
    if b.ndim > 2:
        return np.matmul(a, b, out=out)
    if b.size <= SMALL and len(a) >= MANY:
        b = np.ascontiguousarray(b)
    if out.size >= LARGE and a.ndim > 1 and (most := out.size * len(b) // SHARE) > 1:
        threads = allowed_threads()
        if threads > 1:
            return shared_product(a, b, out, min(most, threads))
    return a.dot(b, out=out)


def shared_product(a: Array, b: Array, out: Array, threads: int) -> Array:
    """Write the product of two matrices into `out` and return it, computed by several threads to the same bytes.

    The first product of each shape is computed in both ways. If cutting it changes a byte, which depends on the BLAS
    library, products of this shape are not cut.
    """
    key = (a.shape, a.strides, b.shape, b.strides, a.dtype, threads)
    if not _same_bytes.get(key, True):
        return a.dot(b, out=out)
    n = max(out.shape)
    edges = [*range(0, n, -(-n // (threads * EDGE)) * EDGE), n]
    ranges = [slice(start, end) for start, end in pairwise(edges)]
    if len(a) == n:
        do_together([partial(np.matmul, a[rows], b, out=out[rows]) for rows in ranges])
    else:
        do_together([partial(np.matmul, a, b[:, columns], out=out[:, columns]) for columns in ranges])
    if key not in _same_bytes:
        if len(_same_bytes) >= MOST_SHAPES:
            _same_bytes.clear()
        whole = a.dot(b)
        _same_bytes[key] = whole.tobytes() == out.tobytes()
        np.copyto(out, whole)
    return out


_same_bytes: dict[object, bool] = {}  # whether a product may be cut, for each shape


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
