"""How far probabilities match frequencies: the points of a reliability diagram."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from nnfs_cli.arrays import Array


class Reliability(NamedTuple):
    """How often predictions came true, by their probability; bins of equal width without rows are left out."""

    probability: Array
    """The mean probability of the rows of each bin, (bins,)."""
    frequency: Array
    """The share of these rows for which the prediction came true, (bins,)."""
    rows: Array
    """The number of these rows, (bins,)."""

    @classmethod
    def of(cls, probability: Array, came_true: Array, weight: Array | None = None, bins: int = 10) -> Self:
        """Return the bins of rows with a probability of 0 to 1 for something that `came_true` or not, each (rows,).

        Source: Niculescu-Mizil and Caruana, "Predicting Good Probabilities With Supervised Learning" (2005).
        """
        probability = probability.astype(np.float64)
        place = np.linspace(0, 1, bins + 1)[1:-1].searchsorted(probability, side="right")
        weight = np.ones(len(probability)) if weight is None else weight.astype(np.float64)
        total, rows = np.bincount(place, weight, bins), np.bincount(place, minlength=bins)
        some = total > 0
        sums = (np.bincount(place, weight * values, bins)[some] for values in (probability, came_true))
        mean, frequency = (each / total[some] for each in sums)
        return cls(mean, frequency, rows[some])
