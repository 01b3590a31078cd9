"""Bootstrap resamples of predicted rows, as weights."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.weighted import effective_number

RESAMPLES = 1_000
MOST_UNITS = 2_000  # more rows are joined at random into as many units, so that time does not grow with the rows
NUMBERS = 10_000_000  # weights that a metric computes, if it needs the weight of every row
MOST_NUMBERS = 50_000  # of one resample; with more, there would be too few resamples
CHUNK = 200_000  # weights in memory at a time; they fit into the cache


class Resamples:
    """Resamples of the Bayesian bootstrap: in each, the weight of every unit is multiplied by an exponential number.

    A unit is a row, or a group of rows that are not independent of each other. The numbers are those of a usual
    bootstrap, in which a unit is drawn 0, 1, 2, ... times, but never 0: so a rare class is in every resample.
    `n_units` is the effective number of units, (Σ w)² / Σ w² for their weights w: a row of weight 2 has the importance
    of two rows, but it is one observation.
    Source: Rubin, "The Bayesian Bootstrap" (1981).
    """

    def __init__(self, rng: np.random.Generator, n_rows: int, weight: Array | None, group: Array | None) -> None:
        self._weight = np.ones(n_rows) if weight is None else np.asarray(weight, np.float64)
        unit = np.arange(n_rows) if group is None else np.unique(group, return_inverse=True)[1].reshape(-1)
        of_units = np.bincount(unit, self._weight)
        self.n_units = effective_number(of_units)
        if len(of_units) > MOST_UNITS:
            unit = (rng.permutation(len(of_units)) % MOST_UNITS)[unit]
        self._unit, self._drawn = unit, min(len(of_units), MOST_UNITS)
        self._factors = rng.standard_exponential((RESAMPLES, self._drawn))
        self._seed = int(rng.integers(1 << 32))

    @cached_property
    def _total(self) -> Array:
        """The weight of all rows in every resample, (resamples,)."""
        return self._factors @ np.bincount(self._unit, self._weight, self._drawn)

    def sums(self, codes: Array, n: int) -> Array:
        """Return the weight of the rows with each code 0, ..., n - 1 in every resample, (rows,) -> (resamples, n)."""
        by_unit = np.bincount(self._unit * n + codes, self._weight, self._drawn * n)
        return np.asarray(self._factors @ by_unit.reshape(self._drawn, n))

    def means(self, values: Array, share: bool = False, least: float = 0.0) -> Array:
        """Return the means of values in every resample, (rows, ...) -> (resamples, ...).

        For a `share`, where each value is 0 or 1, half a unit of each is imagined. The distribution over the resamples
        is then the one of Jeffreys for a share. For the difference between two shares, half a unit of `least` = -1 and
        half a unit of 1 are imagined.
        Source: Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion" (2001).
        """
        columns = values.reshape(len(values), -1).T.astype(np.float64)
        by_unit = [np.bincount(self._unit, self._weight * column, self._drawn) for column in columns]
        sums, total = self._factors @ np.stack(by_unit, axis=1), self._total
        if share:
            ones, others = self.imagined(2, 0.5)
            sums, total = sums + (ones + least * others)[:, None], total + ones + others
        return np.asarray((sums / total[:, None]).reshape(-1, *values.shape[1:]))

    def imagined(self, columns: int, units: float) -> Array:
        """Return weights of rows that are imagined, (columns, resamples), each on average of so many units.

        Rows that are all right look perfect in every resample, although other rows would not be. So rows that are wrong
        are imagined, and as many that are right.
        """
        drawn = np.random.default_rng(self._seed).standard_gamma(units, (columns, RESAMPLES))
        return np.asarray(drawn * (self._weight.sum() / self.n_units))

    def affordable(self, columns: int = 1) -> int:
        """Return how many resamples there is time for, if a metric has to weigh every row once for each column.

        That is 0 if there are too many rows.
        """
        numbers = len(self._weight) * columns
        return min(RESAMPLES, NUMBERS // numbers) if numbers <= MOST_NUMBERS else 0

    def chunks(self, order: Array, most: int) -> Iterator[Array]:
        """Yield the weights of rows in some order (rows,) for some of `most` resamples at a time, (some, rows)."""
        unit, weight, at_once = self._unit[order], self._weight[order], max(1, CHUNK // len(order))
        for start in range(0, most, at_once):
            yield self._factors[start : min(start + at_once, most), unit] * weight

    def weights(self, most: int) -> Iterator[Array]:
        """Yield the weights of all rows, (rows,), for `most` resamples or as many as there is time for."""
        for factors in self._factors[: min(most, self.affordable())]:
            yield factors[self._unit] * self._weight
