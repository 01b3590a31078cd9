"""The rules that turn outputs into predictions: the threshold between two classes, and prediction intervals."""

from __future__ import annotations

from dataclasses import dataclass

from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration


@dataclass(frozen=True)
class Interval:
    """A prediction interval around each number, or a set of classes, that holds the truth with probability `level`."""

    calibration: NumberCalibration | ClassCalibration
    level: float


@dataclass(frozen=True)
class Decision:
    """The rules by which a predictor turns outputs into predictions.

    With a `threshold`, the second of two classes is predicted at this probability or more; without, the most probable
    class. With an `interval`, probabilities are calibrated and each prediction comes with bounds or a set of classes.
    """

    threshold: float | None = None
    interval: Interval | None = None
