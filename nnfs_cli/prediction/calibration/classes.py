"""The calibration of a net that predicts classes: a temperature for probabilities, and sets of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.texts import Texts
from nnfs_cli.prediction.calibration.calibration import Calibration, scores_from_json
from nnfs_cli.prediction.calibration.temperature import COLDEST, HOTTEST, scale


@dataclass(frozen=True)
class ClassCalibration(Calibration):
    """The calibration of a net that predicts classes.

    `temperature` scales the probabilities. `errors` are the calibration errors before and after scaling, on the test
    rows, or else on the rows that the temperature was fitted to.
    """

    temperature: float = 1.0
    errors: tuple[float, float] | None = None

    def scale(self, p: Array) -> Array:
        """Return calibrated probabilities, (rows, classes)."""
        return scale(p, self.temperature)

    def members(self, p: Array, level: float) -> Array:
        """Return for each class whether it is probable enough to be in the set, (rows, classes).

        `p` (rows, classes) are calibrated probabilities. The most probable class is always in the set.
        Raises `UserError` if there are too few rows for the level.
        """
        within: Array = p >= 1 - float(self.bound(level)[0]) - 1e-12
        within[np.arange(len(p)), p.argmax(axis=1)] = True
        return within

    def sets(self, p: Array, labels: Sequence[str], level: float) -> Texts:
        """Return the labels of the classes in the set, joined by |, (rows,). `p` is as for `members`."""
        patterns, places = np.unique(self.members(p, level), axis=0, return_inverse=True)
        sets = ["|".join(label for label, inside in zip(labels, each, strict=True) if inside) for each in patterns]
        return Texts(places.reshape(-1), np.array(sets, object))

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as plain JSON."""
        return {**super().to_json(), "temperature": self.temperature, "errors": self.errors and list(self.errors)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_json` described. Raises `ValueError` if it is not valid."""
        temperature, errors = float(plain["temperature"]), plain["errors"]
        if not COLDEST <= temperature <= HOTTEST:
            raise ValueError("its temperature is out of range")
        if errors is not None and not (len(errors) == 2 and all(0 <= float(error) <= 1 for error in errors)):
            raise ValueError("its calibration errors are not two numbers from 0 to 1")
        scores, test = scores_from_json(plain)
        pair = (float(errors[0]), float(errors[1])) if errors else None
        return cls(str(plain["how"])[:100], scores, test, temperature, pair)
