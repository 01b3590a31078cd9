"""Numbers mapped to a normal distribution by their ranks."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, finite_range, rounding_error
from nnfs_cli.data.weighted import n_rows, quantiles
from nnfs_cli.pipeline.elementwise import (
    add,
    cast,
    clip,
    divide,
    equal,
    is_nan,
    less,
    multiply,
    normal_cdf,
    normal_quantile,
    subtract,
    where,
)
from nnfs_cli.pipeline.shapes import concatenate, count_below, rows_of, take
from nnfs_cli.pipeline.value import Value, constant

EDGE = 1e-7  # ranks closer than this to 0 or 1 are moved there: their normal quantile is ±5.2
NEAREST = EDGE - float(np.spacing(1.0))  # the limit of scikit-learn, which keeps ranks this far from 0 and 1


class Quantile(NumberStep, name="quantile", main="knots"):
    """Map a number's rank among the training rows, from 0 to 1, to the quantile of a normal distribution.

    y = Φ⁻¹(rank(x)); inverse x = q(Φ(y)), which stays within the range of the training rows. The rank is interpolated
    between knots; if several knots equal x, it is the mean of their lowest and highest rank. Results lie within ±5.2,
    and a column that is constant, up to rounding, becomes 0.

    Fitted: the knots, which are equidistant quantiles of the training rows.
    Source: van der Waerden, "Order Tests for the Two-Sample Problem" (1952); scikit-learn's QuantileTransformer.
    """

    examples = ("quantile", "quantile: 100")
    invertible = centred = True

    knots: Annotated[int, Field(strict=True, ge=2, le=100_000)] = Field(default=1000, kw_only=False)
    """Number of quantiles that are stored; at most one for each training row."""

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return equidistant quantiles, from the smallest number to the largest."""
        finite_range(float(column.min()), float(column.max()))
        last = min(self.knots, n_rows(column, weights)) - 1
        if weights is not None:
            return {"knots": np.maximum.accumulate(quantiles(column, np.linspace(0, 1, last + 1), weights)).tolist()}
        column = np.sort(column)
        place, part = np.divmod(np.arange(last + 1) * (len(column) - 1), last or 1)  # whole numbers keep ties
        above = column[np.minimum(place + 1, len(column) - 1)]
        knots = column[place] + (above - column[place]) * (part / (last or 1))
        return {"knots": np.maximum.accumulate(knots).tolist()}  # rounding must not change their order

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Return values that are normally distributed on the training rows."""
        from scipy.special import ndtri  # imported here: SciPy is slow to import

        ranks = [_ranks(column, knots) for column, knots in zip(values.T, statistics["knots"], strict=True)]
        normal: Array = ndtri(np.clip(np.stack(ranks, axis=1), NEAREST, 1 - NEAREST))
        return normal

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return Φ⁻¹(rank(x))."""
        ranks = [_rank_of(take(values, [j]), knots) for j, knots in enumerate(statistics["knots"])]
        return normal_quantile(clip(concatenate(ranks), NEAREST, 1 - NEAREST))

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Return values in the column's own units."""
        from scipy.special import ndtr

        ranks = ndtr(values)
        ranks = np.where(ranks < EDGE, 0, np.where(ranks > 1 - EDGE, 1, ranks))
        columns = [_numbers_at(rank, knots) for rank, knots in zip(ranks.T, statistics["knots"], strict=True)]
        return np.stack(columns, axis=1)

    def inverse_operations(self, values: Value, statistics: Statistics) -> Value:
        """Return q(Φ(y))."""
        ranks = normal_cdf(values)
        ranks = where(less(ranks, EDGE), 0.0, where(less(1 - EDGE, ranks), 1.0, ranks))
        return concatenate([_number_at(take(ranks, [j]), knots) for j, knots in enumerate(statistics["knots"])])


def _ranks(x: Array, knots: Array) -> Array:
    """Return the ranks of numbers x (rows,) among ascending knots (n,): 0 for the first knot, 1 for the last."""
    low, high = float(knots[0]), float(knots[-1])
    if _is_constant(knots):
        return np.where(np.isnan(x), x, 0.5)
    x = np.clip(x, low, high)
    left, right = np.searchsorted(knots, x, "left"), np.searchsorted(knots, x, "right")
    tied = right > left
    above = np.clip(left, 1, len(knots) - 1)  # NaN is sorted behind the last knot
    start = knots[above - 1]
    between = np.divide(x - start, knots[above] - start, out=np.zeros_like(x), where=~tied)
    ranks: Array = np.where(tied, (left + right - 1) / 2, above - 1 + between) / (len(knots) - 1)
    return ranks


def _rank_of(x: Value, knots: Array) -> Value:
    """Return `_ranks` as operations of a pipeline, (1,).

    With the number of different knots below x, a table is asked for the knot that x equals, if it equals one, and for
    the one before that.
    """
    if _is_constant(knots):
        return where(is_nan(x), x, 0.5)
    distinct, first, count = np.unique(knots, return_index=True, return_counts=True)
    last = first + count - 1
    before = np.maximum(np.arange(len(distinct)) - 1, 0)
    width = distinct - distinct[before]
    width[0] = 1.0  # nothing lies below the first knot
    table = constant(np.stack([distinct, (first + last) / 2, distinct[before], width, last[before]], axis=1))
    x = clip(x, distinct[0], distinct[-1])
    found = rows_of(table, count_below(x, distinct[:-1]))
    knot, rank, start, width_here, rank_before = (take(found, [i]) for i in range(5))
    between = divide(subtract(x, start), width_here)
    return divide(where(equal(x, knot), rank, add(rank_before, between)), len(knots) - 1)


def _is_constant(knots: Array) -> bool:
    low, high = float(knots[0]), float(knots[-1])
    return high - low <= rounding_error(low, high)


def _numbers_at(ranks: Array, knots: Array) -> Array:
    """Return the numbers that have these ranks, (rows,)."""
    place = ranks * (len(knots) - 1)
    below = np.nan_to_num(place).astype(np.intp)
    start = knots[below]
    numbers: Array = start + (knots[np.minimum(below + 1, len(knots) - 1)] - start) * (place - below)
    return numbers


def _number_at(rank: Value, knots: Array) -> Value:
    """Return `_numbers_at` as operations of a pipeline, (1,)."""
    place = multiply(rank, len(knots) - 1)
    below = cast(where(is_nan(place), 0.0, place), "int64")
    after = knots[np.minimum(np.arange(len(knots)) + 1, len(knots) - 1)]
    found = rows_of(constant(np.stack([knots, after - knots], axis=1)), below)
    return add(take(found, [0]), multiply(take(found, [1]), subtract(place, cast(below, "float64"))))
