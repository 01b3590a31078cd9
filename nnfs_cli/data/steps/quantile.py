"""A normal distribution, whatever it was before."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, distance, rounding

EDGE = 1e-7  # ranks closer than this to 0 or 1 are moved there: their normal quantile is ±5.2
NEAREST = EDGE - float(np.spacing(1.0))  # and by so much they stay away from it, as in scikit-learn


class Quantile(NumberStep, name="quantile", main="knots"):
    """Put a number's rank among the training rows, from 0 to 1, through the normal distribution's quantile function.

    x -> Φ⁻¹(rank(x)), with the rank interpolated between `knots` quantiles of the training rows, and the mean of its
    lowest and highest where several knots are x. The result stays within ±5.2; a column that is constant, up to
    rounding, becomes 0. Back, x = q(Φ(y)), which is never outside of what was trained on.
    Source: van der Waerden, "Order Tests for the Two-Sample Problem" (1952); scikit-learn's QuantileTransformer.
    """

    examples = ("quantile", "quantile: 100")
    invertible = centred = True

    knots: Annotated[int, Field(strict=True, ge=2, le=100_000)] = 1000
    """How many quantiles are kept; one for each training row where there are fewer."""

    def fit(self, column: Array) -> Fit:
        """Equidistant quantiles, from the smallest number to the largest."""
        column = np.sort(column)
        distance(float(column[0]), float(column[-1]))
        last = min(self.knots, len(column)) - 1
        place, part = np.divmod(np.arange(last + 1) * (len(column) - 1), last or 1)  # whole numbers, so ties stay ties
        above = column[np.minimum(place + 1, len(column) - 1)]
        knots = column[place] + (above - column[place]) * (part / (last or 1))
        return {"knots": np.maximum.accumulate(knots).tolist()}  # nor is their order left to rounding

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Normally distributed on the training rows."""
        from scipy.special import ndtri  # only who uses it waits for SciPy

        ranks = [_ranks(column, knots) for column, knots in zip(values.T, statistics["knots"], strict=True)]
        normal: Array = ndtri(np.clip(np.stack(ranks, axis=1), NEAREST, 1 - NEAREST))
        return normal

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Back to the column's own units."""
        from scipy.special import ndtr

        ranks = ndtr(values)
        ranks = np.where(ranks < EDGE, 0, np.where(ranks > 1 - EDGE, 1, ranks))
        columns = [_at(rank, knots) for rank, knots in zip(ranks.T, statistics["knots"], strict=True)]
        return np.stack(columns, axis=1)


def _ranks(x: Array, knots: Array) -> Array:
    """Of numbers (rows,) among ascending knots (n,): from 0 for the first to 1 for the last."""
    low, high = float(knots[0]), float(knots[-1])
    if high - low <= rounding(low, high):
        return np.where(np.isnan(x), x, 0.5)
    x = np.clip(x, low, high)
    left, right = np.searchsorted(knots, x, "left"), np.searchsorted(knots, x, "right")
    tied = right > left
    above = np.clip(left, 1, len(knots) - 1)  # what is no number has its place behind the last knot
    start = knots[above - 1]
    between = np.divide(x - start, knots[above] - start, out=np.zeros_like(x), where=~tied)
    ranks: Array = np.where(tied, (left + right - 1) / 2, above - 1 + between) / (len(knots) - 1)
    return ranks


def _at(ranks: Array, knots: Array) -> Array:
    """The numbers that have these ranks (rows,)."""
    place = ranks * (len(knots) - 1)
    below = np.nan_to_num(place).astype(np.intp)
    start = knots[below]
    numbers: Array = start + (knots[np.minimum(below + 1, len(knots) - 1)] - start) * (place - below)
    return numbers
