"""Numerical derivatives from central differences, which notice the kinks of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array

STEP = float(np.finfo(np.float64).eps ** (1 / 3))  # it balances the truncation error against the rounding error
CLOSER = 8.0  # how many times a second step is shorter, where the first one may have met a kink


class Derivative(NamedTuple):
    """A numerical derivative; at a `kink`, such as that of relu at 0, there is none, and the value means nothing."""

    value: float
    kink: bool


def derivative(f: Callable[[], Array], dy: Array, array: Array, index: tuple[int, ...]) -> Derivative:
    """Return the derivative of Σ dy · f by one entry of a float64 array, which f depends on.

    It is Σ dy · (f(a + h) - f(a - h)) / 2h. Where the derivatives from both sides differ, and a shorter step does not
    bring them together, the function has a kink. `array` is as before afterwards; f may return a buffer.
    Source: Press et al., "Numerical Recipes" (2007), section 5.7.
    """
    value = array[index]
    h = STEP * max(1.0, abs(float(value)))
    try:
        here = f().copy()
        left, right = _from_both_sides(f, dy, array, index, h, here)
        gap = abs(right - left)
        noise = 1e-9 * float(np.abs(dy * here).sum())
        if gap <= 1e-5 * max(abs(left), abs(right)) + noise:
            return Derivative((left + right) / 2, kink=False)
        array[index] = value
        left, right = _from_both_sides(f, dy, array, index, h / CLOSER, here)
        return Derivative((left + right) / 2, kink=abs(right - left) > gap / 2 + CLOSER * noise)
    finally:
        array[index] = value


def _from_both_sides(
    f: Callable[[], Array], dy: Array, array: Array, index: tuple[int, ...], h: float, here: Array
) -> tuple[float, float]:
    """Return the one-sided differences, from below and from above."""
    value = array[index]
    array[index] = value + h
    above = float(np.sum(dy * (f() - here)))
    array[index] = value - h
    below = float(np.sum(dy * (here - f())))
    array[index] = value
    return below / h, above / h


def sample(shape: tuple[int, ...], most: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Return the indices of all entries of an array of this shape, or of `most` random ones, in order."""
    size = int(np.prod(shape))
    chosen = np.arange(size) if size <= most else np.sort(rng.choice(size, most, replace=False))
    return [tuple(int(i) for i in np.unravel_index(int(flat), shape)) for flat in chosen]
