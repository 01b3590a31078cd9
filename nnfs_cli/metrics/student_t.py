"""Quantiles and tails of Student's t distribution, without SciPy, which takes longer to import than many a training."""

from __future__ import annotations

import math

import numpy as np

POINTS = 1_001  # at which the density is added up
MOST_STEPS = 200  # to the quantile; usually it takes fewer than ten
WIDTHS = 25  # of the density of the angle, behind which nothing of it is left


def t_quantile(probability: float, freedom: float) -> float:
    """Return the number that t stays below with a probability between 0 and 1, for 1 or more degrees of freedom.

    With t = sqrt(freedom) tan(angle), the density of the angle is proportional to cos(angle)^(freedom - 1). The angle
    is found by Newton's method, which approaches it from one side, since that density falls away from 0.

    >>> round(t_quantile(0.975, 10), 6)
    2.228139
    """
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    wanted = probability - 0.5
    angle, factor = 0.0, _factor(freedom)
    for _ in range(MOST_STEPS):
        step = (wanted - _between(0, angle, freedom)) / (factor * math.cos(angle) ** (freedom - 1))
        angle += step
        if step <= 1e-13 * angle:
            break
    return math.sqrt(freedom) * math.tan(angle)


def t_tail(t: float, freedom: float) -> float:
    """Return the probability that a variable with Student's distribution exceeds t, for 1 or more degrees of freedom.

    >>> round(t_tail(2.228139, 10), 6)
    0.025
    """
    if t < 0:
        return 1 - t_tail(-t, freedom)
    angle = math.atan(t / math.sqrt(freedom))
    return _between(angle, min(angle + WIDTHS / math.sqrt(freedom), math.pi / 2), freedom)


def _between(low: float, high: float, freedom: float) -> float:
    """Return the probability that the angle lies between two numbers, by Simpson's rule."""
    simpson = np.tile([2.0, 4.0], POINTS // 2 + 1)[:POINTS]
    simpson[[0, -1]] = 1
    cosines = np.maximum(np.cos(np.linspace(low, high, POINTS)), 0)  # rounded, a cosine of 0 may be less
    return _factor(freedom) * float(simpson @ cosines ** (freedom - 1)) * (high - low) / (POINTS - 1) / 3


def _factor(freedom: float) -> float:
    """Return the density of the angle at 0."""
    return math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
