"""How sure to be of an answer, learned from rows that the net has not learned from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array

KEPT = 1_000  # scores of as many rows, evenly spread over all in their order
COLDEST, HOTTEST = 0.1, 10.0  # temperatures
PRIOR = 0.1  # of a logarithm of one


@dataclass(frozen=True)
class Scores:
    """How strange the truth of each of some rows was to the net: the sorted scores, or some of them, by their rank.

    `values` (n, targets) are ascending, and `ranks` (n,) count from 1 among `rows`.
    """

    rows: int
    ranks: Array
    values: Array

    @classmethod
    def of(cls, scores: Array) -> Self:
        """Of the rows (rows, targets)."""
        n = len(scores)
        ranks = np.unique(np.ceil(np.linspace(1, n, min(n, KEPT))).astype(np.int64))
        return cls(n, ranks, np.sort(scores, axis=0)[ranks - 1])

    def bound(self, level: float) -> Array | None:
        """What a new row's score, (targets,), is at most, with this probability; None when there are too few rows.

        That is the score with rank ceil((rows + 1) · level), or the next one that was kept. A row that comes as these
        did is within it with a probability of at least `level`, whatever the net and the data.
        Source: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World" (2005), section 4.2.
        """
        rank = math.ceil((self.rows + 1) * level - 1e-9)
        if rank > self.rows:
            return None
        found: Array = self.values[np.searchsorted(self.ranks, rank)]
        return found

    def coverage(self, bound: Array) -> Array:
        """The share of these rows within a bound, (targets,)."""
        return (self.values <= bound).mean(axis=0)  # type: ignore[no-any-return]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"rows": self.rows, "ranks": self.ranks.tolist(), "values": self.values.tolist()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Take `to_json` back. Raises `ValueError` for what cannot be one."""
        rows, ranks = plain["rows"], np.array(plain["ranks"], np.int64)
        values = np.array(plain["values"], np.float64)
        if not isinstance(rows, int) or values.ndim != 2 or ranks.shape != values.shape[:1] or not len(ranks):
            raise ValueError("its scores are none")
        if ranks[0] != 1 or ranks[-1] != rows or (np.diff(ranks) < 1).any():
            raise ValueError("its scores are not in order")
        if not np.isfinite(values).all() or (np.diff(values, axis=0) < 0).any():
            raise ValueError("its scores are not in order")
        return cls(rows, ranks, values)


@dataclass(frozen=True)
class Calibration:
    """What rows that were not learned from say of the answers of a net.

    `how` is which rows: out of fold, or validation. With classes `temperature` is what logarithms of probabilities are
    divided by. `test` are scores of the test rows, if there are any, and `errors` the calibration errors, before and
    after, of those rows, or else of the ones calibrated by.
    """

    how: str
    scores: Scores
    temperature: float | None = None
    test: Scores | None = None
    errors: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "how": self.how,
            "temperature": self.temperature,
            "scores": self.scores.to_json(),
            "test": self.test and self.test.to_json(),
            "errors": self.errors and list(self.errors),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Take `to_json` back. Raises `ValueError` for what cannot be one."""
        temperature, errors = plain["temperature"], plain["errors"]
        if temperature is not None and not COLDEST <= float(temperature) <= HOTTEST:
            raise ValueError("its temperature is none")
        if errors is not None and not (len(errors) == 2 and all(0 <= float(error) <= 1 for error in errors)):
            raise ValueError("its calibration errors are none")
        test = plain["test"] and Scores.from_json(plain["test"])
        scores = Scores.from_json(plain["scores"])
        if test and test.values.shape[1:] != scores.values.shape[1:]:
            raise ValueError("its scores are of other targets than those of the test")
        pair = (float(errors[0]), float(errors[1])) if errors else None
        return cls(str(plain["how"])[:100], scores, temperature and float(temperature), test or None, pair)


def tempered(p: Array, temperature: float) -> Array:
    """Probabilities (..., n) with their logarithms divided by a temperature: above 1 they come nearer to each other.

    Source: Guo et al., "On Calibration of Modern Neural Networks" (2017), section 4.2.
    """
    logits = np.log(np.maximum(p.astype(np.float64), 1e-300)) / temperature
    q: Array = np.exp(logits - logits.max(axis=-1, keepdims=True))
    q /= q.sum(axis=-1, keepdims=True)
    return q


def best_temperature(p: Array, truth: Array, weight: Array | None = None) -> float:
    """The temperature with which the true classes (rows,) are most likely under probabilities (rows, n).

    A prior keeps it near 1 where there are too few errors to know: its logarithm is normal, with a deviation of 0.1.
    """
    rows, counts = np.arange(len(p)), np.ones(len(p)) if weight is None else weight

    def loss(log_temperature: float) -> float:
        likely = np.maximum(tempered(p, math.exp(log_temperature))[rows, truth], 1e-300)
        return float(-np.log(likely) @ counts) + (log_temperature / PRIOR) ** 2 / 2

    return _least(loss)


def softening(members: Array, mean: Array) -> float:
    """The temperature that makes probabilities of members (members, rows, n) most like their mean (rows, n)."""

    def loss(log_temperature: float) -> float:
        each = np.maximum(tempered(members, math.exp(log_temperature)), 1e-300)
        return float(-np.mean((mean * np.log(each)).sum(axis=-1)))

    return _least(loss)


def _least(loss: Callable[[float], float]) -> float:
    """The temperature with the least loss, which goes by its logarithm."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(loss, bounds=(math.log(COLDEST), math.log(HOTTEST)), method="bounded")
    return math.exp(found.x) if found.fun < loss(0.0) else 1.0


def strangeness(truth: Array, answer: Array, classes: bool) -> Array:
    """The score of each row, (rows, targets): how far off an answer is, or how improbable the true class was."""
    if classes:
        improbable: Array = 1 - answer[np.arange(len(truth)), truth][:, None]
        return improbable
    distance: Array = np.abs(truth - answer)
    return distance
