"""Copies of errors by which no group of rows is worse: rows with similar predictions have exchanged them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.strata import Strata

COPIES = 199
GROUPS = 20  # groups of rows of like size, which exchange their errors as wholes
OUTLIER = 0.995  # quantile of losses to which larger ones are cut, so that single rows make no group


@dataclass(frozen=True, eq=False)
class Exchange:
    """Who gets whose error in each copy: `donors` (copies, rows) are row indices, the first copy being the rows.

    Rows exchange errors within their stratum. If there are units of rows that depend on each other, whole units
    exchange them with units of like size, row by row from a random row on. An error is exchanged in units of the
    deviation in the stratum.
    Source: Westfall and Young, "Resampling-Based Multiple Testing" (1993); Winkler et al., "Permutation inference for
    the general linear model" (2014), for units.
    """

    strata: Strata
    donors: Array

    @classmethod
    def of(cls, strata: Strata, unit: Array | None, rng: np.random.Generator) -> Exchange:
        """Draw the copies, for the strata and the units (rows,) of the rows."""
        stratum, n = strata.stratum, len(strata.stratum)
        if unit is None:
            order = np.argsort(stratum, kind="stable")
            donors = np.empty((COPIES + 1, n), np.intp)
            for copy in donors:
                copy[order] = order[np.argsort(stratum[order] + rng.random(n))]
        else:
            donors = np.array([np.arange(n), *_units_exchanged(unit, rng)])
        donors[0] = np.arange(n)
        return cls(strata, donors)

    def copies(self, errors: Array) -> Array:
        """Return errors around 0, (rows,), exchanged in each copy, (rows, copies) float32."""
        deviation = np.sqrt(self.strata.mean(np.square(errors)))
        unscaled = np.divide(errors, deviation, out=np.zeros(len(errors)), where=deviation > 0)
        exchanged: Array = np.asarray((unscaled[self.donors] * deviation).T, np.float32, order="C")
        return exchanged

    def moments(self, errors: Array) -> tuple[Array, Array]:
        """Return the variance and the third moment of errors around 0 near the stratum of each row, (rows,) each."""
        return self.strata.smooth_mean(np.square(errors)), self.strata.smooth_mean(errors**3)


def _units_exchanged(unit: Array, rng: np.random.Generator) -> list[Array]:
    """Return for each copy the donor of each row, (rows,), where units of like size exchange their rows."""
    unit = np.unique(unit, return_inverse=True)[1].reshape(-1)
    by_unit, size = np.argsort(unit, kind="stable"), np.bincount(unit)
    start = np.cumsum(size) - size
    rank = np.empty(len(unit), np.intp)
    rank[by_unit] = np.arange(len(unit)) - start[unit[by_unit]]
    order = np.lexsort((rng.random(len(size)), size))
    like = np.arange(len(size)) * max(1, len(size) // GROUPS) // len(size)  # of the units in order
    found = []
    for _ in range(COPIES):
        donor = np.empty(len(size), np.intp)
        donor[order] = order[np.argsort(like + rng.random(len(size)))]
        first = (rng.random(len(size)) * size[donor]).astype(np.intp)
        of_row = donor[unit]
        found.append(by_unit[start[of_row] + (first[unit] + rank) % size[of_row]])
    return found


def cut_outliers(losses: Array) -> Array:
    """Return losses (rows,) of which the largest are cut."""
    return np.asarray(np.minimum(losses, np.quantile(losses, OUTLIER)))
