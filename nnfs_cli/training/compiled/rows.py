"""Sums and the largest number of a row, for kernels. The bytes depend on the row alone."""

from __future__ import annotations

from nnfs_cli.system.machine_code.kernel import Floats, device, real, summing


@summing
def row_sum(x: Floats, at: int, n: int) -> float:
    """Return the sum of n entries from the one at `at`."""
    found = real(0)
    for i in range(at, at + n):
        found += x[i]
    return found


@summing
def row_dot(x: Floats, y: Floats, at: int, n: int) -> float:
    """Return Σ x · y over n entries from the one at `at`."""
    found = real(0)
    for i in range(at, at + n):
        found += x[i] * y[i]
    return found


@device
def weighted_sum(losses: Floats, weights: Floats, n: int) -> float:
    """Return the sum of n losses · weights, added up in float64."""
    found = 0.0
    for i in range(n):
        found += losses[i] * weights[i]
    return found


@device
def larger(a: float, b: float) -> float:
    """Return the larger of two numbers."""
    return a if a > b else b


@device
def row_max(x: Floats, at: int, n: int) -> float:
    """Return the largest of n entries from the one at `at`, as eight results side by side."""
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
