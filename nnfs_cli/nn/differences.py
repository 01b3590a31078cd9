"""Numerical derivatives from central differences, which notice the kinks of a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array

STEP = float(np.finfo(np.float64).eps ** (1 / 3))  # it balances the truncation error against the rounding error
SMOOTH = 1e-4  # by this share, the derivatives from both sides of a point without a kink may differ
TRIES = 3  # random directions along which a whole gradient is checked
PASSES = 100  # differences that the search for a wrong entry may take
CLOSER = 8.0  # how many times a second step is shorter, where the first one may have met a kink


class Derivative(NamedTuple):
    """A numerical derivative; at a `kink`, such as that of relu at 0, there is none, and the value means nothing."""

    value: float
    kink: bool


@dataclass(frozen=True)
class Compared:
    """One entry of a gradient beside its numerical value; at a kink the two may differ."""

    index: tuple[int, ...]
    gradient: float
    numerical: float
    kink: bool = False

    @property
    def error(self) -> float:
        """The difference of the two; infinite if either is NaN."""
        error = abs(self.gradient - self.numerical)
        return error if error == error else float("inf")


def entry_text(name: str, index: tuple[int, ...]) -> str:
    """Return how an entry of an array is written, as in ``dweight[0,2]``."""
    return f"{name}[{','.join(map(str, index))}]"


def derivative(
    f: Callable[[], Array], dy: Array, array: Array, index: tuple[int, ...], here: Array | None = None
) -> Derivative:
    """Return the derivative of Σ dy · f by one entry of a float64 array, which f depends on.

    It is Σ dy · (f(a + h) - f(a - h)) / 2h. Where the derivatives from both sides differ, and a shorter step does not
    bring them together, the function has a kink. `array` is as before afterwards. f may return a buffer; `here` is
    what it returns now, if that is known.
    Source: Press et al., "Numerical Recipes" (2007), section 5.7.
    """
    value = array[index]
    h = STEP * max(1.0, abs(float(value)))
    try:
        here = f().copy() if here is None else here
        left, right = _from_both_sides(f, dy, array, index, h, here)
        gap = abs(right - left)
        noise = 1e-9 * float(np.abs(dy * here).sum())
        if gap <= SMOOTH * max(abs(left), abs(right)) + noise:
            return Derivative((left + right) / 2, kink=False)
        array[index] = value
        left, right = _from_both_sides(f, dy, array, index, h / CLOSER, here)
        return Derivative((left + right) / 2, kink=abs(right - left) > gap / 2 + CLOSER * noise)
    finally:
        array[index] = value


def suspect(
    f: Callable[[], Array], dy: Array, array: Array, gradient: Array, tolerance: float, rng: np.random.Generator
) -> Compared | None:
    """Return the entry of a gradient that seems to be wrong by more than the tolerance, or None if all seem right.

    Along a random direction, Σ dy · f changes by the product of the gradient and the direction: this sees every entry
    at the price of two calls of f. Where the two differ, halves of the entries are searched, down to one entry. Entries
    at a kink are passed over. See `derivative` for the arguments.
    """
    flat, given = array.reshape(-1), array.reshape(-1).copy()
    most = PASSES

    def error(part: Array) -> float:
        direction = rng.uniform(0.5, 1.5, len(part)) * rng.choice([-1, 1], len(part))
        steps = STEP * np.maximum(1, np.abs(given[part])) * direction
        flat[part] = given[part] + steps
        above = f().copy()
        flat[part] = given[part] - steps
        numerical = float(np.sum(dy * (above - f()))) / 2
        flat[part] = given[part]
        return abs(numerical - float(gradient.reshape(-1)[part] @ steps)) / STEP

    def search(part: Array) -> Compared | None:
        nonlocal most
        if len(part) == 1:
            index = tuple(int(i) for i in np.unravel_index(int(part[0]), array.shape))
            one = Compared(index, float(gradient[index]), *derivative(f, dy, array, index))
            return None if one.kink else one
        halves = [(error(half), half) for half in np.array_split(part, 2)]
        most -= 2
        for size, half in sorted(halves, key=lambda pair: pair[0], reverse=True):
            if size > tolerance and most > 0 and (found := search(half)):
                return found
        return None

    whole = np.arange(len(flat))
    return search(whole) if len(whole) and any(error(whole) > tolerance for _ in range(TRIES)) else None


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
