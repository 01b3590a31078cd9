"""Temperature scaling: one number that makes probabilities more or less confident.

Source: Guo et al., "On Calibration of Modern Neural Networks" (2017), section 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.elementwise import cast, divide, log, maximum
from nnfs_cli.pipeline.shapes import softmax
from nnfs_cli.pipeline.value import Value

COLDEST, HOTTEST = 0.1, 10.0  # temperatures
MOST_STEPS = 100  # to a minimum; usually it takes about ten
PRIOR = 0.3  # standard deviation of the logarithm of a temperature, around 0


def scale(p: Array, temperature: float) -> Array:
    """Return probabilities (..., n) with their logarithms divided by a temperature.

    Above 1 the probabilities come nearer to each other, below 1 they move apart.
    """
    logits = _logarithms(p) / temperature
    q: Array = np.exp(logits - logits.max(axis=-1, keepdims=True))
    q /= q.sum(axis=-1, keepdims=True)
    return q


def scale_operations(p: Value, temperature: float) -> Value:
    """Return `scale` as operations of a pipeline."""
    return softmax(divide(log(maximum(cast(p, "float64"), 1e-300)), temperature))


def fit_temperature(p: Array, truth: Array, weight: Array | None = None, alike: float = 1.0) -> float:
    """Return the temperature T that makes the true classes (rows,) most likely under p (rows, n) at T · `alike`.

    A normal prior on its logarithm keeps it near 1 if there are few rows. With `alike` other than 1, p are the
    probabilities of single members of an ensemble, which are as confident as their mean at the temperature `alike`,
    and T is the temperature of the mean.
    """
    z = _logarithms(p)
    counts = np.ones(len(p)) if weight is None else weight.astype(np.float64)
    true_z = z[np.arange(len(p)), truth]

    def slope(log_temperature: float) -> float:
        colder = math.exp(-log_temperature) / alike
        return float(counts @ (true_z - _expected(z, colder)) * colder + log_temperature / PRIOR**2)

    return _minimum(slope)


def fit_to_mean(members: Array, mean: Array, weight: Array | None = None) -> float:
    """Return the temperature that makes probabilities of members (members, rows, n) most like their mean (rows, n)."""
    z = _logarithms(members)
    counts = np.ones(len(mean)) if weight is None else weight.astype(np.float64)
    mean_z = (z * mean).sum(axis=-1)

    def slope(log_temperature: float) -> float:
        colder = math.exp(-log_temperature)
        return float(((mean_z - _expected(z, colder)) @ counts).sum() * colder)

    return _minimum(slope)


def _logarithms(p: Array) -> Array:
    return np.log(np.maximum(p, 1e-300, dtype=np.float64))


def _expected(z: Array, colder: float) -> Array:
    """Return the mean of z (..., n) under the probabilities softmax(z · colder), (...)."""
    q = np.exp((z - z.max(axis=-1, keepdims=True)) * colder)
    expected: Array = (q * z).sum(axis=-1) / q.sum(axis=-1)
    return expected


def _minimum(slope: Callable[[float], float]) -> float:
    """Return the temperature where the slope of a loss, by the logarithm of the temperature, is 0.

    Importing SciPy's root finders takes longer than many a training.
    Source: Dowell and Jarratt, "A Modified Regula Falsi Method for Computing the Root of an Equation" (1971).
    """
    low, high = math.log(COLDEST), math.log(HOTTEST)
    at_low, at_high = slope(low), slope(high)
    if at_low >= 0 or at_high <= 0:
        return COLDEST if at_low >= 0 else HOTTEST
    found, last = high, 0.0
    for _ in range(MOST_STEPS):
        before, found = found, (low * at_high - high * at_low) / (at_high - at_low)
        here = slope(found)
        if not here or abs(found - before) < 1e-13:
            break
        if here < 0:
            low, at_low, at_high = found, here, at_high / 2 if last < 0 else at_high
        else:
            high, at_high, at_low = found, here, at_low / 2 if last > 0 else at_low
        last = here
    return math.exp(found)
