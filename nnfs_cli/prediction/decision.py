"""The rules that turn outputs into predictions: the threshold between two classes, and prediction intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Self

from nnfs_cli.errors import UserError
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted, shown


@dataclass(frozen=True)
class Interval:
    """A prediction interval around each number, or a set of classes, that holds the truth with probability `level`."""

    calibration: NumberCalibration | ClassCalibration
    level: float

    @classmethod
    def at(cls, level: float, calibration: NumberCalibration | ClassCalibration, labels: Sequence[str]) -> Self:
        """Return the intervals, or the sets of classes with these labels, at a level.

        Warns about classes that have too few rows for the level. Raises `UserError` if the level is no number between 0
        and 1, or if there are too few rows for it in all classes together.
        """
        if not (isinstance(level, Real) and 0 < level < 1):
            raise UserError(f"a level is a probability between 0 and 1, such as 0.9, found {level!r:.80}")
        calibration.bound(level)
        if isinstance(calibration, ClassCalibration):
            for label, rows, needed in calibration.scarce(level, labels):
                found = f"class {shown(label, 30)} has {counted(rows, 'row')} to calibrate on; {100 * level:g} % needs"
                warn(f"{found} {needed:,}: its threshold is a guess, and nearly every set holds that class")
        return cls(calibration, level)


@dataclass(frozen=True)
class Decision:
    """The rules by which a predictor turns outputs into predictions.

    With a `threshold`, the second of two classes is predicted at this probability or more; without, the most probable
    class. `thresholds` are those of several targets of two classes, by target; without, a target has 0.5. With an
    `interval`, probabilities are calibrated and each prediction comes with bounds or a set of classes.
    """

    threshold: float | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    interval: Interval | None = None
