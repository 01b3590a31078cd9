"""Nonconformity scores: how far predictions were from the truth on rows that the net was not trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import UserError

KEPT = 1_000  # the most scores that are kept, evenly spread over the ranks
ROUNDING = 1e-12  # of sums of weights, relative to their total


@dataclass(frozen=True)
class NonconformityScores:
    """The sorted nonconformity scores of some rows, or some of them, with the weight of the rows up to each.

    `values` (n, targets) are ascending. `ranks` (n,) are ascending, too: the weight of all rows with a score up to that
    value, which is the number of these rows if all count alike. `rows` is the number of all rows.
    """

    rows: int
    ranks: Array
    values: Array

    @classmethod
    def from_rows(cls, scores: Array, weight: Array | None = None) -> Self:
        """Return the scores of rows, (rows, targets), in any order; `weight` (rows,): see `calibration_weights`."""
        n = len(scores)
        weight = np.ones(n) if weight is None else weight
        order = np.argsort(scores, axis=0, kind="stable")
        ascending = np.take_along_axis(scores, order, axis=0).astype(np.float64)
        upto = np.cumsum(weight[order], axis=0, dtype=np.float64)
        last = np.ones(scores.shape, bool)  # of equal scores
        last[:-1] = np.diff(ascending, axis=0) > 0
        upto[-1] = total = float(upto[-1].max())  # sums in another order differ by a rounding error
        ranks = np.unique(upto[last])
        if len(ranks) > KEPT:
            wanted = total * np.arange(1, KEPT + 1) / KEPT
            ranks = np.unique(ranks[np.searchsorted(ranks, wanted - ROUNDING * total)])
        places = [np.searchsorted(column, ranks - ROUNDING * total) for column in upto.T]
        return cls(n, ranks, np.stack([column[at] for column, at in zip(ascending.T, places, strict=True)], axis=1))

    @property
    def total(self) -> float:
        """The weight of all rows; their number if all count alike."""
        return float(self.ranks[-1])

    def bound(self, level: float) -> Array | None:
        """Return the bound that the score of a new row stays within with probability `level`, (targets,).

        The bound is the smallest kept score that rows of weight (total + 1) · level do not exceed; without weights it
        has the rank ceil((rows + 1) · level). It is None if there are too few rows.

        If the net and the spread of errors were fitted to other rows and the new row is exchangeable with these, the
        probability is at least `level` for every net and every distribution. Out of fold, each score comes from a net
        that was trained on most of the other rows, and new rows are predicted by all nets together: the probability is
        then `level` up to small errors. The guarantee nearest to it is that of CV+, 1 - 2 (1 - `level`) or more.
        Sources: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World" (2005), section 4.2; Barber,
        Candès, Ramdas and Tibshirani, "Predictive Inference with the Jackknife+" (2021), theorem 4.
        """
        rank = (self.total + 1) * level - ROUNDING * (self.total + 1)
        if rank > self.total:
            return None
        found: Array = self.values[np.searchsorted(self.ranks, rank)]
        return found

    def coverage(self, bound: Array) -> Array:
        """Return the share of the weight of these rows whose score is within a bound, (targets,)."""
        upto = np.concatenate([[0.0], self.ranks])
        return upto[(self.values <= bound).sum(axis=0)] / self.total  # type: ignore[no-any-return]

    def to_json(self) -> dict[str, Any]:
        """Return the scores as plain JSON."""
        weighted = {} if self.total == self.rows else {"total": self.total}
        return {"rows": self.rows, **weighted, "ranks": self.ranks.tolist(), "values": self.values.tolist()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the scores that `to_json` described. Raises `ValueError` if they cannot be scores."""
        rows, ranks = plain["rows"], np.array(plain["ranks"], np.float64)
        values = np.array(plain["values"], np.float64)
        if not isinstance(rows, int) or values.ndim != 2 or ranks.shape != values.shape[:1] or not len(ranks):
            raise ValueError("its scores have no values and ranks of the same length")
        if not (np.isfinite(ranks).all() and ranks[0] > 0 and ranks[-1] == plain.get("total", rows)):
            raise ValueError("its ranks do not end with the weight of all rows")
        if (np.diff(ranks) <= 0).any() or not np.isfinite(values).all() or (np.diff(values, axis=0) < 0).any():
            raise ValueError("its scores are not in order")
        return cls(rows, ranks, values)


def rows_needed(level: float) -> int:
    """Return how many rows a level needs, so that the score of one of them can bound that of a new row."""
    return math.ceil(round(level / (1 - level), 6))


def too_few_rows(level: float, rows: int, what: str = "rows", of: str = "an interval of") -> UserError:
    """Return the error for a level that asks for more rows, or groups of rows, than there are."""
    return UserError(
        f"{of} {level:g} needs {rows_needed(level):,} {what} that the net was not trained on, but there are only"
        f" {rows:,}; choose a lower level"
    )
