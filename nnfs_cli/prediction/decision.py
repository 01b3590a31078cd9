"""The rules that turn outputs into predictions: the threshold between two classes, and prediction intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import UserError
from nnfs_cli.prediction.calibration.calibration import Calibration
from nnfs_cli.prediction.calibration.temperature import scale


@dataclass(frozen=True)
class Interval:
    """A prediction interval around each number, or a set of classes, that holds the truth with probability `level`."""

    calibration: Calibration
    level: float

    def bound(self) -> Array:
        """Return the bound on nonconformity scores, (targets,). Raises `UserError` if there are too few rows for it."""
        bound = self.calibration.scores.bound(self.level)
        if bound is None:
            rows, needed = self.calibration.scores.rows, math.ceil(self.level / (1 - self.level) - 1e-9)
            raise UserError(
                f"an interval of {self.level:g} needs {needed:,} rows that the net was not trained on, but there are"
                f" only {rows:,}; choose a lower level"
            )
        return bound

    def scale(self, p: Array) -> Array:
        """Return calibrated probabilities, (rows, classes)."""
        return scale(p, self.calibration.temperature or 1.0)

    def members(self, p: Array) -> Array:
        """Return for each class whether it is probable enough to be in the set, (rows, classes).

        `p` (rows, classes) are calibrated probabilities. The most probable class is always in the set.
        """
        within: Array = p >= 1 - float(self.bound()[0]) - 1e-12
        within[np.arange(len(p)), p.argmax(axis=1)] = True
        return within

    def sets(self, p: Array, labels: Sequence[str]) -> Texts:
        """Return the labels of the classes in the set, joined by |, (rows,). `p` is as for `members`."""
        patterns, places = np.unique(self.members(p), axis=0, return_inverse=True)
        sets = ["|".join(label for label, inside in zip(labels, each, strict=True) if inside) for each in patterns]
        return Texts(places.reshape(-1), np.array(sets, object))


@dataclass(frozen=True)
class Decision:
    """The rules by which a predictor turns outputs into predictions.

    With a `threshold`, the second of two classes is predicted at this probability or more; without, the most probable
    class. With an `interval`, probabilities are calibrated and each prediction comes with bounds or a set of classes.
    """

    threshold: float | None = None
    interval: Interval | None = None
