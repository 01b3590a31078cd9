"""Nonconformity scores: how far predictions were from the truth on rows that the net was not trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array

KEPT = 1_000  # the most scores that are kept, evenly spread over the ranks


@dataclass(frozen=True)
class NonconformityScores:
    """The sorted nonconformity scores of some rows, or some of them with their ranks.

    `values` (n, targets) are ascending; `ranks` (n,) count from 1 to `rows`.
    """

    rows: int
    ranks: Array
    values: Array

    @classmethod
    def from_rows(cls, scores: Array) -> Self:
        """Return the scores of rows, (rows, targets), in any order."""
        n = len(scores)
        ranks = np.unique(np.ceil(np.linspace(1, n, min(n, KEPT))).astype(np.int64))
        return cls(n, ranks, np.sort(scores, axis=0)[ranks - 1])

    def bound(self, level: float) -> Array | None:
        """Return the bound that the score of a new row stays within with probability `level`, (targets,).

        The bound is the score with rank ceil((rows + 1) · level), or the next one that was kept. It is None if there
        are too few rows. The probability is at least `level` for every net and every distribution, as long as the new
        row is exchangeable with these rows.
        Source: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World" (2005), section 4.2.
        """
        rank = math.ceil((self.rows + 1) * level - 1e-9)
        if rank > self.rows:
            return None
        found: Array = self.values[np.searchsorted(self.ranks, rank)]
        return found

    def coverage(self, bound: Array) -> Array:
        """Return the share of these rows whose score is within a bound, (targets,)."""
        return (self.values <= bound).mean(axis=0)  # type: ignore[no-any-return]

    def to_json(self) -> dict[str, Any]:
        """Return the scores as plain JSON."""
        return {"rows": self.rows, "ranks": self.ranks.tolist(), "values": self.values.tolist()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the scores that `to_json` described. Raises `ValueError` if they cannot be scores."""
        rows, ranks = plain["rows"], np.array(plain["ranks"], np.int64)
        values = np.array(plain["values"], np.float64)
        if not isinstance(rows, int) or values.ndim != 2 or ranks.shape != values.shape[:1] or not len(ranks):
            raise ValueError("its scores have no values and ranks of the same length")
        if ranks[0] != 1 or ranks[-1] != rows or (np.diff(ranks) < 1).any():
            raise ValueError("its scores are not in order")
        if not np.isfinite(values).all() or (np.diff(values, axis=0) < 0).any():
            raise ValueError("its scores are not in order")
        return cls(rows, ranks, values)


def nonconformity(truth: Array, answer: Array, classes: bool) -> Array:
    """Return the score of each row, (rows, targets).

    For numbers it is the distance |truth - answer|; for classes, 1 - p of the true class, with `truth` (rows,) and
    `answer` (rows, classes).
    """
    if classes:
        improbable: Array = 1 - answer[np.arange(len(truth)), truth][:, None]
        return improbable
    distance: Array = np.abs(truth - answer)
    return distance
