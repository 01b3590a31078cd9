"""Nonconformity scores of classes: how improbable the true class was on rows that the net was not trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array

KEPT = 1_000  # the most scores of a class that are kept, evenly spread over the positions
LEVELS = np.arange(101) / 100  # at which the size of sets is known
BEYOND = 1.5  # how fast thresholds beyond the largest score approach 1, at which a class is in every set


@dataclass(frozen=True)
class ClassScores:
    """The sorted scores of the rows of one class.

    `values` (n,) are ascending, from 0 to 1; `positions` (n,) are the total weight of the rows up to each. Positions
    and scores between two of them are interpolated.
    """

    rows: int
    positions: Array
    values: Array

    @classmethod
    def from_rows(cls, scores: Array, weight: Array | None = None) -> Self:
        """Return the scores of rows (rows,) with weights (rows,); a row of weight 2 is two rows."""
        values, of_row = np.unique(scores.astype(np.float64), return_inverse=True)
        weights = np.bincount(of_row, weight)
        ends = weights.cumsum()
        starts = ends - np.maximum(weights - 1, 0)  # from here to the end, each further row has the same score
        positions, values = np.stack([starts, ends], axis=1).reshape(-1), values.repeat(2)
        if len(scores) and max(len(scores), ends[-1]) > KEPT:
            even = np.linspace(positions[0], positions[-1], KEPT)
            positions, values = even, np.interp(even, positions, values)
        return cls(len(scores), positions, values)

    @property
    def weight(self) -> float:
        """The total weight of the rows."""
        return float(self.positions[-1]) if len(self.positions) else 0.0

    def threshold(self, level: float) -> float:
        """Return the score that a new row of the class does not exceed with probability `level`, 0 to 1.

        This is the score at the position level · (weight + 1). Of unit weights, the score with rank r of n is not
        exceeded with probability r / (n + 1), so scores between two ranks are interpolated. A position beyond the last
        score needs more rows; the threshold then approaches 1, since no score is larger. In simulations at a level of
        0.9, it held 88 to 96 % of the rows of a class with 1 to 8 scores, but fewer of a class without any.
        Sources: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World" (2005), section 4.5, for classes;
        Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), definition 6, for the interpolation.
        """
        position = level * (self.weight + 1) - 1e-9
        if position <= self.weight:
            return float(np.interp(position, np.append(0, self.positions), np.append(0, self.values)))
        largest = float(self.values[-1]) if len(self.values) else 0.0
        return 1 - (1 - largest) * math.pow(self.weight + 1 - position, BEYOND)

    def within(self, threshold: float) -> float:
        """Return the total weight of the rows whose score does not exceed a threshold."""
        last = int(self.values.searchsorted(threshold + 1e-12, side="right"))
        return float(self.positions[last - 1]) if last else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the scores as plain JSON."""
        return {"rows": self.rows, "positions": self.positions.tolist(), "values": self.values.tolist()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the scores that `to_json` described. Raises `ValueError` if they cannot be scores."""
        rows, positions, values = plain["rows"], *(np.array(plain[key], np.float64) for key in ("positions", "values"))
        if not isinstance(rows, int) or rows > 2**53 or positions.ndim != 1 or positions.shape != values.shape:
            raise ValueError("its scores have no values and positions of the same length")
        if (rows > 0) != (len(values) > 0) or not (np.isfinite(positions).all() and np.isfinite(values).all()):
            raise ValueError("its scores are not numbers of some rows")
        if (np.diff(positions, prepend=0) < 0).any() or (np.diff(values, prepend=0, append=1) < 0).any():
            raise ValueError("its scores are not in order")
        return cls(rows, positions, values)

    @classmethod
    def from_ranks(cls, plain: Mapping[str, Any]) -> Self:
        """Return the scores that runs of edition 1 kept: ranks and their scores, each for all ranks since the last.

        Raises `ValueError` if they cannot be scores.
        """
        ranks, values = np.array(plain["ranks"], np.float64), np.array(plain["values"], np.float64)
        if ranks.ndim != 1 or values.shape != (len(ranks), 1) or not len(ranks) or ranks[-1] != plain["rows"]:
            raise ValueError("its scores have no values and ranks of the same length")
        starts = np.minimum(np.concatenate([[0], ranks[:-1]]) + 1e-9, ranks)
        positions = np.stack([starts, ranks], axis=1).reshape(-1).tolist()
        return cls.from_json({"rows": plain["rows"], "positions": positions, "values": values[:, 0].repeat(2).tolist()})


def class_scores(
    truth: Array, p: Array, weight: Array | None = None, predicted: Array | None = None
) -> tuple[ClassScores, ...]:
    """Return the scores of the rows of each class, from probabilities p (rows, classes) of true classes (rows,).

    The score is 1 - p of the true class, but 0 if every set holds that class: the most probable one, and the
    `predicted` one (rows,), which is another one if there are class weights.
    """
    held = p.argmax(axis=1) == truth
    if predicted is not None:
        held |= predicted == truth
    scores = np.where(held, 0.0, 1 - p[np.arange(len(truth)), truth])
    of_class = [np.flatnonzero(truth == k) for k in range(p.shape[1])]
    return tuple(ClassScores.from_rows(scores[some], None if weight is None else weight[some]) for some in of_class)


def mean_sizes(scores: Sequence[ClassScores], p: Array, weight: Array, predicted: Array) -> Array:
    """Return how many classes a set holds on average at each of `LEVELS`, with the scores of each class.

    `p` (rows, classes), `weight` (rows,) and `predicted` (rows,) are of the rows that the mean is over; see
    `class_scores`.
    """
    most_probable, total = p.argmax(axis=1), np.zeros(len(LEVELS))
    for k, of_class in enumerate(scores):
        values = np.where((most_probable == k) | (predicted == k), 0, 1 - p[:, k])
        order = values.argsort()
        up_to = np.append(0, weight[order].cumsum())
        bounds = [of_class.threshold(level) + 1e-12 for level in LEVELS.tolist()]
        total += up_to[values[order].searchsorted(bounds, side="right")] / up_to[-1]
    return total
