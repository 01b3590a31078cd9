"""The difference between two mean losses, with the interval in which it lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.weighted import effective_number
from nnfs_cli.system.wording import rounded

FEWEST = 10  # rows, or groups of rows, of equal weight, below which nothing is said about a difference


class Difference(NamedTuple):
    """A difference between means, and the 95 % confidence interval around it."""

    mean: float
    low: float
    high: float

    @property
    def positive(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low > 0

    @property
    def negative(self) -> bool:
        """Whether the whole interval lies below 0."""
        return self.high < 0

    def reversed(self) -> Difference:
        """Return the difference the other way round."""
        return Difference(0.0 - self.mean, 0.0 - self.high, 0.0 - self.low)

    def in_words(self, measure: str) -> str:
        """Return how much higher, or lower, a measure is, as in "loss 0.083 lower (0.051 to 0.115)"."""
        how, found = ("lower", self.reversed()) if self.mean < 0 else ("higher", self)
        return f"{measure} {rounded(found.mean)} {how} ({rounded(found.low)} to {rounded(found.high)})"


class Mean(NamedTuple):
    """A weighted mean of rows, the variance of this mean, and its effective number of independent units."""

    value: float
    variance: float
    units: float


def mean_of(values: Array, weight: Array | None, group: Array | None, member: Array | None) -> Mean:
    """Return the mean of values (rows,), weighted by `weight` (rows,).

    Rows of one `group` (rows,) count as one unit. A row of weight 2 has the importance of two rows in the mean, but it
    is one observation: the mean is as exact as that of the effective number of units of equal weight, (Σ w)² / Σ w².
    (Where rows are fitted to, and in calibration, a row of weight 2 is two rows.)
    Rows of one `member` (rows,), the fold that they belong to, share a net, and the nets share training rows: with k
    folds, the variance is that of the rows or of the folds, whichever is larger, times 1 + k / (k - 1).
    Source: Kish, "Survey Sampling" (1965), section 11.2C; Nadeau and Bengio, "Inference for the Generalization Error"
    (2003).
    """
    weight = np.ones(len(values)) if weight is None else weight.astype(np.float64)
    mean = float(weight @ values / weight.sum())
    parts = weight * (values - mean) / weight.sum()
    variance, units = _variance(parts, weight, group)
    if member is not None:
        of_folds, _ = _variance(parts, weight, member)
        folds = len(np.unique(member))
        variance = max(variance, of_folds) * (1 + folds / max(folds - 1, 1))
    return Mean(mean, variance, units)


def _variance(parts: Array, weight: Array, cluster: Array | None) -> tuple[float, float]:
    """Return the variance of a sum of parts (rows,), and the effective number of clusters, which are independent."""
    if cluster is not None:
        places = np.unique(cluster, return_inverse=True)[1]
        parts, weight = np.bincount(places, parts), np.bincount(places, weight)
    n = effective_number(weight)
    return float(np.square(parts).sum()) * (n / (n - 1) if n > 1 else 1), n


def pooled(means: Sequence[tuple[Mean, float]]) -> Mean:
    """Return the mean over several sets of rows, each with the weight of its rows."""
    total = sum(weight for _, weight in means)
    shares = [(mean, weight / total) for mean, weight in means]
    return Mean(
        sum(share * mean.value for mean, share in shares),
        sum(share**2 * mean.variance for mean, share in shares),
        1 / sum(share**2 / mean.units for mean, share in shares),
    )


def interval(mean: Mean) -> Difference | None:
    """Return the interval around the mean of a difference; None if it is not finite, or rests on too few units."""
    if mean.units < FEWEST or not math.isfinite(mean.value + mean.variance):
        return None
    reach = t_quantile(mean.units - 1) * math.sqrt(mean.variance)
    return Difference(mean.value, mean.value - reach, mean.value + reach)


def excess(one: Mean, other: Mean, fewest: int = 2 * FEWEST) -> float:
    """Return by how many standard errors `one` is greater than `other`, of other rows; 0 if either has too few units.

    Both are taken to vary as much from unit to unit as the one that varies more: where losses are skewed, a few rows
    without a large loss seem to vary little.
    """
    of_unit = max(mean.variance * mean.units for mean in (one, other))
    if min(one.units, other.units) < fewest or not 0 < of_unit < math.inf:
        return 0.0
    return (one.value - other.value) / math.sqrt(of_unit * (1 / one.units + 1 / other.units))


def t_quantile(freedom: float, z: float = 1.959963984540054) -> float:
    """Return a quantile of Student's distribution, given that of the normal one, `z`, by default the 0.975 quantile.

    It is exact within 0.001 for the 0.975 quantile, and 0.01 for the 0.995 quantile, from 8 degrees of freedom on.
    Source: Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), 26.7.5.
    """
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
