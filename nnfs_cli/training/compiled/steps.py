"""Kernels for what belongs to a step as a whole: its loss, its numbers, whether it is finite, its average."""

from __future__ import annotations

from nnfs_cli.system.machine_code.intrinsics import bits_of_float
from nnfs_cli.system.machine_code.kernel import Doubles, Floats, Ints, kernel, real
from nnfs_cli.training.compiled.rows import weighted_sum


@kernel
def fill(lo: int, hi: int, out: Floats, value: float) -> None:
    """Set the entries lo to hi to a value."""
    for i in range(lo, hi):
        out[i] = value


@kernel
def scale(lo: int, hi: int, out: Floats, x: Floats, factor: float) -> None:
    """Write x · factor for the entries lo to hi."""
    for i in range(lo, hi):
        out[i] = x[i] * factor


@kernel
def total(lo: int, hi: int, results: Doubles, step: Ints, losses: Floats, weights: Floats, n: int) -> None:
    """Write the sum of n losses · weights as the result of the step, and fail if it is not finite.

    The axis has length 1.
    """
    for _ in range(lo, hi):
        found = weighted_sum(losses, weights, n)
        results[step[0]] = found
        if found - found != 0.0:
            step[1] = 1


@kernel
def require_finite(lo: int, hi: int, step: Ints, gradient: Floats) -> None:
    """Fail if an entry of the gradient is not finite."""
    bad = bits_of_float(real(0))
    for i in range(lo, hi):
        bad |= bits_of_float(gradient[i] - gradient[i])  # all bits are 0 unless it is infinite or NaN
    if bad:
        step[1] = 1


@kernel
def decay(lo: int, hi: int, w: Floats, step: Ints, numbers: Doubles, columns: int, column: int) -> None:
    """Multiply the entries lo to hi by a number of the step."""
    keep = real(numbers[step[0] * columns + column])
    for i in range(lo, hi):
        w[i] *= keep


@kernel
def follow(
    lo: int, hi: int, average: Floats, w: Floats, step: Ints, numbers: Doubles, columns: int, column: int
) -> None:
    """Move the average of the entries lo to hi towards w by the rate of the step; rate 1 copies exactly."""
    rate = real(numbers[step[0] * columns + column])
    if rate == real(1):
        for i in range(lo, hi):
            average[i] = w[i]
    else:
        for i in range(lo, hi):
            average[i] += (w[i] - average[i]) * rate
