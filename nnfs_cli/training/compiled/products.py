"""Kernels for products of matrices and for sums over a batch."""

from __future__ import annotations

from nnfs_cli.system.machine_code.intrinsics import gemm
from nnfs_cli.system.machine_code.kernel import Floats, Ints, kernel, real


@kernel
def product(
    lo: int, hi: int, function: int, turn_a: int, turn_b: int, n: int, k: int,
    a: int, lda: int, b: int, ldb: int, c: int, ldc: int, size: int,
) -> None:  # fmt: skip
    """Compute the rows lo to hi of c = a @ b with b (k, n), by a CBLAS function; a, b and c are addresses.

    A turned matrix is stored transposed. `size` is that of a number in bytes.
    """
    first = lo if turn_a else lo * lda
    gemm(function, turn_a, turn_b, hi - lo, n, k, a + first * size, lda, b, ldb, c + lo * ldc * size, ldc)


@kernel
def product_by_columns(
    lo: int, hi: int, function: int, turn_a: int, turn_b: int, m: int, k: int,
    a: int, lda: int, b: int, ldb: int, c: int, ldc: int, size: int,
) -> None:  # fmt: skip
    """Compute the columns lo to hi of c = a @ b with a (m, k), as `product` does rows."""
    first = lo * ldb if turn_b else lo
    gemm(function, turn_a, turn_b, m, hi - lo, k, a, lda, b + first * size, ldb, c + lo * size, ldc)


@kernel
def add_bias(lo: int, hi: int, y: Floats, bias: Floats, n: int) -> None:
    """Add a vector (n,) to the rows lo to hi of y (rows, n)."""
    for i in range(lo, hi):
        for j in range(n):
            y[i * n + j] += bias[j]


@kernel
def sum_rows(lo: int, hi: int, out: Floats, x: Floats, rows: int, n: int) -> None:
    """Sum the columns lo to hi of x (rows, n) into out (n,), four rows at once."""
    for j in range(lo, hi):
        out[j] = real(0)
    whole = rows // 4 * 4
    for i in range(0, whole, 4):
        at = i * n
        for j in range(lo, hi):
            out[j] += (x[at + j] + x[at + n + j]) + (x[at + 2 * n + j] + x[at + 3 * n + j])
    for i in range(whole, rows):
        for j in range(lo, hi):
            out[j] += x[i * n + j]


@kernel
def sum_products(lo: int, hi: int, out: Floats, x: Floats, y: Floats, rows: int, n: int) -> None:
    """Sum the columns lo to hi of x · y, both (rows, n), into out (n,), four rows at once."""
    for j in range(lo, hi):
        out[j] = real(0)
    whole = rows // 4 * 4
    for i in range(0, whole, 4):
        a, b, c, d = i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n
        for j in range(lo, hi):
            out[j] += (x[a + j] * y[a + j] + x[b + j] * y[b + j]) + (x[c + j] * y[c + j] + x[d + j] * y[d + j])
    for i in range(whole, rows):
        for j in range(lo, hi):
            out[j] += x[i * n + j] * y[i * n + j]


@kernel
def gather(lo: int, hi: int, out: Floats, rows: Floats, n: int, order: Ints, starts: Ints, step: Ints) -> None:
    """Copy the rows of a batch, which `order` names, into out (batch, n); lo to hi are places in the batch."""
    start = starts[step[0]]
    for i in range(lo, hi):
        row = order[start + i]
        for j in range(n):
            out[i * n + j] = rows[row * n + j]
