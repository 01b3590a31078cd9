"""The verdict on prediction intervals that hold fewer test rows than they should."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nnfs_cli.data.weighted import effective_number
from nnfs_cli.errors import UserError
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.wording import percent
from nnfs_cli.workflows.verdicts.disagreement import CERTAIN
from nnfs_cli.workflows.verdicts.interval import FEWEST, Mean, mean_of
from nnfs_cli.workflows.verdicts.verdict import Verdict

LEVEL = 0.9
LEAST = 0.05  # a coverage that is short of the level by less does not matter


def coverage(
    predictor: Predictor, test: EncodedRows | None, calibration: NumberCalibration | ClassCalibration | None
) -> Iterator[Verdict]:
    """Yield that intervals, or sets of classes, hold clearly fewer test rows than their level, for any of the targets.

    The shortfall is compared with its standard error, which chance in the test rows and in the rows that calibrated
    both have a part in.
    """
    if test is None or calibration is None:
        return
    try:
        held = predictor.with_interval(Interval(calibration, LEVEL)).covers(test)
    except UserError:  # too few rows calibrate the level
        return
    found = min((mean_of(column, test.weight, test.units, None) for column in held.T * 1.0), key=lambda one: one.value)
    short = LEVEL - found.value
    n_calibration = calibration.rows if isinstance(calibration, ClassCalibration) else calibration.scores.rows
    if found.units >= FEWEST and short > max(LEAST, CERTAIN * _error(found, test, n_calibration)):
        what = "sets of classes" if predictor.encoder.classes else "intervals"
        yield Verdict(
            "narrow_intervals",
            "warning",
            f"{percent(LEVEL)} {what} hold the truth in {percent(found.value)} of the test rows, too few for chance",
            "the test rows differ from those before; expect the same of new rows, and train again when there are more",
        )


def _error(found: Mean, test: EncodedRows, n_calibration: int) -> float:
    """Return the standard error of the coverage of test rows.

    If rows depend on each other, or have different weights, its variance is larger than that of independent rows, by a
    factor that is taken to be the same in the rows that calibrated.
    """
    n_test = len(test) if test.weight is None else effective_number(test.weight.astype(np.float64))
    independent = found.value * (1 - found.value) / len(test)
    factor = max(1.0, found.variance / independent) if independent else len(test) / n_test
    usual = LEVEL * (1 - LEVEL)
    return math.sqrt(max(found.variance, usual / n_test) + factor * usual / n_calibration)
