"""The calibration of one net, as it is kept in `calibration.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from nnfs_cli.prediction.calibration.scores import NonconformityScores
from nnfs_cli.prediction.calibration.temperature import COLDEST, HOTTEST


@dataclass(frozen=True)
class Calibration:
    """The calibration of one net, fitted to rows that the net was not trained on.

    `how` names these rows: "validation" or "out of fold". With classes, `temperature` scales the probabilities. `test`
    holds the scores of the test rows, if there are any. `errors` are the calibration errors before and after scaling,
    on the test rows, or else on the rows that the temperature was fitted to.
    """

    how: str
    scores: NonconformityScores
    temperature: float | None = None
    test: NonconformityScores | None = None
    errors: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as plain JSON."""
        return {
            "how": self.how,
            "temperature": self.temperature,
            "scores": self.scores.to_json(),
            "test": self.test and self.test.to_json(),
            "errors": self.errors and list(self.errors),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_json` described. Raises `ValueError` if it is not valid."""
        temperature, errors = plain["temperature"], plain["errors"]
        if temperature is not None and not COLDEST <= float(temperature) <= HOTTEST:
            raise ValueError("its temperature is out of range")
        if errors is not None and not (len(errors) == 2 and all(0 <= float(error) <= 1 for error in errors)):
            raise ValueError("its calibration errors are not two numbers from 0 to 1")
        test = plain["test"] and NonconformityScores.from_json(plain["test"])
        scores = NonconformityScores.from_json(plain["scores"])
        if test and test.values.shape[1:] != scores.values.shape[1:]:
            raise ValueError("its scores and its test scores are of different targets")
        pair = (float(errors[0]), float(errors[1])) if errors else None
        return cls(str(plain["how"])[:100], scores, temperature and float(temperature), test or None, pair)
