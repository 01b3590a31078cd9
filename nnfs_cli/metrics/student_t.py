"""Quantiles of Student's t distribution, without SciPy, which takes longer to import than many a training."""

from __future__ import annotations

import math

import numpy as np

POINTS = 1_001  # at which the density is added up
MOST_STEPS = 200  # to the quantile; usually it takes fewer than ten


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
    factor = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    simpson = np.tile([2.0, 4.0], POINTS // 2 + 1)[:POINTS]
    simpson[[0, -1]] = 1
    angle = 0.0
    for _ in range(MOST_STEPS):
        angles = np.linspace(0, angle, POINTS)
        reached = factor * float(simpson @ np.cos(angles) ** (freedom - 1)) * angle / (POINTS - 1) / 3
        step = (wanted - reached) / (factor * math.cos(angle) ** (freedom - 1))
        angle += step
        if step <= 1e-13 * angle:
            break
    return math.sqrt(freedom) * math.tan(angle)
