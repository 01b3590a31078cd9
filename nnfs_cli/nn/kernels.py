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

    The first product of each shape is computed both as a whole and in pieces. If cutting it changes a byte, which
    depends on the BLAS library, products of this shape are not cut.
    """
    n = max(out.shape)
    edges = [*range(0, n, -(-n // (threads * EDGE)) * EDGE), n]
    if len(a) == n:
        cuts = [(a[start:end], b, out[start:end]) for start, end in pairwise(edges)]
    else:
        cuts = [(a, b[:, start:end], out[:, start:end]) for start, end in pairwise(edges)]
    key = (a.shape, a.strides, b.shape, b.strides, a.dtype, threads)
    if _same_bytes.get(key):
        do_together([partial(np.matmul, left, right, out=piece) for left, right, piece in cuts])
        return out
    a.dot(b, out=out)
    if key not in _same_bytes:
        if len(_same_bytes) >= MOST_SHAPES:
            _same_bytes.clear()
        _same_bytes[key] = all(_equal_bits(np.matmul(left, right), piece) for left, right, piece in cuts)
    return out


def _equal_bits(a: Array, b: Array) -> bool:
    bits = f"u{a.itemsize}"
    return bool((a.view(bits) == b.view(bits)).all())


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
