"""The calibration of a net that predicts numbers: prediction intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.pipeline.elementwise import add, maximum, minimum, multiply, subtract
from nnfs_cli.pipeline.value import Value
from nnfs_cli.prediction.calibration.scores import NonconformityScores, too_few_rows
from nnfs_cli.prediction.calibration.spread import LearnedSpread, Spread, spread_from_json

ENDS_SHARED = 0.01  # share of the rows at the end of a range that makes it a limit
ENDS_ROWS = 3  # the least number of these rows


@dataclass(frozen=True)
class NumberCalibration:
    """The calibration of a net that predicts numbers, fitted to rows that the net was not trained on.

    `how` names these rows: "validation" or "out of fold". `test` holds the scores of the test rows, if there are any.
    Scores are the distances between truth and prediction in the units of the net's target, divided by the `spread`, if
    there is one. `limits` (2, targets) are the lowest and the highest number that bounds may have, infinite where there
    is no limit. Without `limits` an earlier release made the calibration: its scores are in the target's own units.
    """

    how: str
    scores: NonconformityScores
    test: NonconformityScores | None = None
    limits: Array | None = None
    spread: Spread | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` unless all parts are of the same targets."""
        n_targets = self.scores.values.shape[1]
        if self.test and self.test.values.shape[1] != n_targets:
            raise ValueError("its scores and its test scores are of different targets")
        if self.limits is not None and self.limits.shape != (2, n_targets):
            raise ValueError("its limits are not two for each target")
        if self.spread is not None and self.spread.n_targets != n_targets:
            raise ValueError("its spread and its scores are of different targets")

    def bound(self, level: float) -> Array:
        """Return the bound on scores, (targets,). Raises `UserError` if there are too few rows for the level."""
        bound = self.scores.bound(level)
        if bound is None:
            n_groups = round(self.scores.total)  # each group has a weight of 1
            grouped = n_groups < self.scores.rows
            raise too_few_rows(level, *((n_groups, "groups") if grouped else (self.scores.rows, "rows")))
        return bound

    def interval(self, encoder: Encoder, X: Array, y_hat: Array, answer: Array, level: float) -> tuple[Array, Array]:
        """Return the lower and the upper bound of the interval around each number, (rows, targets) each.

        `X` (rows, features) and `y_hat` (rows, outputs) are inputs and outputs of the net, and `answer`
        (rows, targets) are its predictions in the target's own units. Raises `UserError` if there are too few rows for
        the level.
        """
        bound = self.bound(level)
        if self.limits is None:
            return answer - bound, answer + bound
        centre = encoder.scale_target(answer)
        below, above = (1.0, 1.0) if self.spread is None else self.spread.sides(X, y_hat, centre)
        low, high = (encoder.unscale_bounds(edge) for edge in (centre - bound * below, centre + bound * above))
        # A prediction may lie outside the limits, and rounding must not move a bound to its other side.
        return np.minimum(np.clip(low, *self.limits), answer), np.maximum(np.clip(high, *self.limits), answer)

    def interval_operations(
        self, encoder: Encoder, X: Value, y_hat: Value, answer: Value, level: float
    ) -> tuple[Value, Value]:
        """Return `interval` as operations of a pipeline, (targets,) each."""
        bound = self.bound(level)
        if self.limits is None:
            return subtract(answer, bound), add(answer, bound)
        centre = encoder.target.forward_operations(answer)
        if self.spread is None:
            below, above = subtract(centre, bound), add(centre, bound)
        else:
            sides = self.spread.side_operations(X, y_hat, centre)
            below, above = (multiply(side, bound) for side in sides)
            below, above = subtract(centre, below), add(centre, above)
        low, high = (
            _clipped(encoder.target.inverse_operations(edge, limited=False), self.limits) for edge in (below, above)
        )
        return minimum(low, answer), maximum(high, answer)

    def fits(self, encoder: Encoder) -> bool:
        """Return whether the calibration is for a net with these inputs and targets."""
        spread = self.spread
        knows_inputs = not isinstance(spread, LearnedSpread) or spread.features == len(encoder.names)
        return knows_inputs and self.scores.values.shape[1] == len(encoder.targets)

    @property
    def arrays(self) -> dict[str, Array]:
        """The arrays of the spread, if it is learned."""
        return self.spread.arrays if isinstance(self.spread, LearnedSpread) else {}

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as plain JSON, without its `arrays`."""
        ends = None if self.limits is None else self.limits.tolist()
        limits = ends and [[limit if math.isfinite(limit) else None for limit in end] for end in ends]
        return {
            "how": self.how,
            "scores": self.scores.to_json(),
            "test": self.test and self.test.to_json(),
            "limits": limits,
            "spread": self.spread and self.spread.to_json(),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_json` described, with blank `arrays`.

        Raises `ValueError` if it is not valid.
        """
        test, limits, spread = plain["test"], plain.get("limits"), plain.get("spread")
        return cls(
            str(plain["how"])[:100],
            NonconformityScores.from_json(plain["scores"]),
            NonconformityScores.from_json(test) if test else None,
            None if limits is None else _limits_from_json(limits),
            None if spread is None else spread_from_json(spread),
        )


def _clipped(values: Value, limits: Array) -> Value:
    """Return values (targets,) within limits (2, targets), of which infinite ones are left out where all are."""
    low, high = limits
    values = maximum(values, low) if np.isfinite(low).any() else values
    return minimum(values, high) if np.isfinite(high).any() else values


def limits_of(truth: Array) -> Array:
    """Return the limits of numbers (rows, targets) that bounds must not exceed, (2, targets), infinite if none.

    An end of the range is a limit if several rows share it, as with counts of 0 or measurements that end at a
    maximum. If no number is below 0, 0 is a limit.
    """
    enough = max(ENDS_ROWS, ENDS_SHARED * len(truth))
    low, high = truth.min(axis=0), truth.max(axis=0)
    lowest = np.where((truth == low).sum(axis=0) >= enough, low, np.where(low >= 0, 0.0, -np.inf))
    return np.stack([lowest, np.where((truth == high).sum(axis=0) >= enough, high, np.inf)])


def _limits_from_json(plain: Sequence[Sequence[float | None]]) -> Array:
    low, high = plain
    lowest = [-math.inf if limit is None else limit for limit in low]
    limits = np.array([lowest, [math.inf if limit is None else limit for limit in high]], np.float64)
    if limits.ndim != 2 or np.isnan(limits).any() or (limits[0] > limits[1]).any():
        raise ValueError("its limits are not in order")
    return limits
