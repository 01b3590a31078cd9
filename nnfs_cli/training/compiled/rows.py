"""Sums and the largest number of a row, for kernels.

They are computed as eight results side by side, as one alone would wait for each number in turn. The bytes
depend on the row alone.
"""

from __future__ import annotations

from nnfs_cli.system.machine_code.kernel import Floats, device, real


@device
def row_sum(x: Floats, at: int, n: int) -> float:
    """Return the sum of n entries from the one at `at`, as eight sums side by side."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = real(0)
    whole = at + n // 8 * 8
    for i in range(at, whole, 8):
        s0 += x[i]
        s1 += x[i + 1]
        s2 += x[i + 2]
        s3 += x[i + 3]
        s4 += x[i + 4]
        s5 += x[i + 5]
        s6 += x[i + 6]
        s7 += x[i + 7]
    for i in range(whole, at + n):
        s0 += x[i]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@device
def row_dot(x: Floats, y: Floats, at: int, n: int) -> float:
    """Return Σ x · y over n entries from the one at `at`, as eight sums side by side."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = real(0)
    whole = at + n // 8 * 8
    for i in range(at, whole, 8):
        s0 += x[i] * y[i]
        s1 += x[i + 1] * y[i + 1]
        s2 += x[i + 2] * y[i + 2]
        s3 += x[i + 3] * y[i + 3]
        s4 += x[i + 4] * y[i + 4]
        s5 += x[i + 5] * y[i + 5]
        s6 += x[i + 6] * y[i + 6]
        s7 += x[i + 7] * y[i + 7]
    for i in range(whole, at + n):
        s0 += x[i] * y[i]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@device
def larger(a: float, b: float) -> float:
    """Return the larger of two numbers."""
    return a if a > b else b


@device
def row_max(x: Floats, at: int, n: int) -> float:
    """Return the largest of n entries from the one at `at`."""
    m0 = m1 = m2 = m3 = m4 = m5 = m6 = m7 = x[at]
    whole = at + n // 8 * 8
    for i in range(at, whole, 8):
        m0 = larger(x[i], m0)
        m1 = larger(x[i + 1], m1)
        m2 = larger(x[i + 2], m2)
        m3 = larger(x[i + 3], m3)
        m4 = larger(x[i + 4], m4)
        m5 = larger(x[i + 5], m5)
        m6 = larger(x[i + 6], m6)
        m7 = larger(x[i + 7], m7)
    for i in range(whole, at + n):
        m0 = larger(x[i], m0)
    return larger(larger(larger(m0, m1), larger(m2, m3)), larger(larger(m4, m5), larger(m6, m7)))
