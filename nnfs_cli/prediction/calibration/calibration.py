"""What the calibrations of numbers and of classes have in common, as it is kept in `calibration.json`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnfs_cli.arrays import Array
from nnfs_cli.errors import UserError
from nnfs_cli.prediction.calibration.scores import NonconformityScores


@dataclass(frozen=True)
class Calibration:
    """The calibration of one net, fitted to rows that the net was not trained on.

    `how` names these rows: "validation" or "out of fold". `test` holds the scores of the test rows, if there are any.
    """

    how: str
    scores: NonconformityScores
    test: NonconformityScores | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` unless both scores are of the same targets."""
        if self.test and self.test.values.shape[1:] != self.scores.values.shape[1:]:
            raise ValueError("its scores and its test scores are of different targets")

    def bound(self, level: float) -> Array:
        """Return the bound on nonconformity scores, (targets,). Raises `UserError` if there are too few rows for it."""
        bound = self.scores.bound(level)
        if bound is None:
            raise too_few_rows(level, self.scores.rows)
        return bound

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as plain JSON."""
        return {"how": self.how, "scores": self.scores.to_json(), "test": self.test and self.test.to_json()}


def too_few_rows(level: float, rows: int) -> UserError:
    """Return the error for a level that asks for more rows than there are."""
    needed = math.ceil(level / (1 - level) - 1e-9)
    return UserError(
        f"an interval of {level:g} needs {needed:,} rows that the net was not trained on, but there are only {rows:,};"
        " choose a lower level"
    )


def scores_from_json(plain: Mapping[str, Any]) -> tuple[NonconformityScores, NonconformityScores | None]:
    """Return the scores of a calibration, and those of its test rows. Raises `ValueError` if they are not valid."""
    test = plain["test"] and NonconformityScores.from_json(plain["test"])
    return NonconformityScores.from_json(plain["scores"]), test or None
