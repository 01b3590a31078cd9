"""The calibration of a net that predicts numbers: prediction intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from nnfs_cli.arrays import Array
from nnfs_cli.prediction.calibration.calibration import Calibration, scores_from_json


@dataclass(frozen=True)
class NumberCalibration(Calibration):
    """The calibration of a net that predicts numbers."""

    def interval(self, answer: Array, level: float) -> tuple[Array, Array]:
        """Return the lower and the upper bound of the interval around each number, (rows, targets) each.

        Raises `UserError` if there are too few rows for the level.
        """
        bound = self.bound(level)
        return answer - bound, answer + bound

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_json` described. Raises `ValueError` if it is not valid."""
        scores, test = scores_from_json(plain)
        return cls(str(plain["how"])[:100], scores, test)
