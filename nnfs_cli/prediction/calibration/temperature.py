"""Temperature scaling: one number that makes probabilities more or less confident.

Source: Guo et al., "On Calibration of Modern Neural Networks" (2017), section 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnfs_cli.arrays import Array

COLDEST, HOTTEST = 0.1, 10.0  # temperatures
PRIOR = 0.1  # standard deviation of the logarithm of a temperature, around 0


def scale(p: Array, temperature: float) -> Array:
    """Return probabilities (..., n) with their logarithms divided by a temperature.

    Above 1 the probabilities come nearer to each other, below 1 they move apart.
    """
    logits = np.log(np.maximum(p.astype(np.float64), 1e-300)) / temperature
    q: Array = np.exp(logits - logits.max(axis=-1, keepdims=True))
    q /= q.sum(axis=-1, keepdims=True)
    return q


def fit_temperature(p: Array, truth: Array, weight: Array | None = None) -> float:
    """Return the temperature that makes the true classes (rows,) most likely under probabilities p (rows, n).

    A normal prior on its logarithm, with standard deviation 0.1, keeps it near 1 if there are few rows.
    """
    rows, counts = np.arange(len(p)), np.ones(len(p)) if weight is None else weight

    def loss(log_temperature: float) -> float:
        likely = np.maximum(scale(p, math.exp(log_temperature))[rows, truth], 1e-300)
        return float(-np.log(likely) @ counts) + (log_temperature / PRIOR) ** 2 / 2

    return _minimize(loss)


def fit_to_mean(members: Array, mean: Array) -> float:
    """Return the temperature that makes probabilities of members (members, rows, n) most like their mean (rows, n)."""

    def loss(log_temperature: float) -> float:
        each = np.maximum(scale(members, math.exp(log_temperature)), 1e-300)
        return float(-np.mean((mean * np.log(each)).sum(axis=-1)))

    return _minimize(loss)


def _minimize(loss: Callable[[float], float]) -> float:
    """Return the temperature that minimizes a loss of its logarithm; 1 if no other is better."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(loss, bounds=(math.log(COLDEST), math.log(HOTTEST)), method="bounded")
    return math.exp(found.x) if found.fun < loss(0.0) else 1.0
