"""How many rows prediction intervals, or sets of classes, hold at several levels, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import UserError
from nnfs_cli.metrics import decide
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


class Coverage(NamedTuple):
    """The coverage of some rows at each of some levels."""

    levels: Array
    """The levels for which there are enough calibration rows, (levels,); 0 to 1."""
    held: Array
    """The share of the weight of the rows whose interval or set holds the truth, (levels, targets); 0 to 1."""
    size: Array
    """The mean width in the units of the target, or the mean number of classes in a set, (levels, targets)."""


def coverage_by_level(
    predictor: Predictor,
    calibration: NumberCalibration | ClassCalibration,
    rows: EncodedRows,
    levels: Sequence[float] = LEVELS,
) -> Coverage:
    """Return the coverage of rows by the intervals, or sets of classes, of a calibrated net."""
    y_hat = predictor.outputs_for(rows.X, rows.member)
    answer = predictor.answer(y_hat)
    usable, held, size = [], [], []
    weight = predictor.own_weight(rows.weight, rows.truth)
    for level in levels:
        try:
            if isinstance(calibration, ClassCalibration):
                decided = decide(answer, predictor.decision.threshold)
                sets = calibration.members(calibration.scale(answer), level, decided)
                inside, sizes = sets[np.arange(len(rows)), rows.truth][:, None], sets.sum(axis=1, keepdims=True)
            else:
                low, high = calibration.interval(predictor.encoder, rows.X, y_hat, answer, level)
                inside, sizes = (low <= rows.truth) & (rows.truth <= high), high - low
        except UserError:  # too few rows calibrate this level
            continue
        usable.append(level)
        held.append(np.average(inside, axis=0, weights=weight))
        size.append(np.average(sizes, axis=0, weights=weight))
    targets = 1 if predictor.encoder.classes else rows.truth.shape[1]
    means = (np.array(each, np.float64).reshape(-1, targets) for each in (held, size))
    return Coverage(np.array(usable, np.float64), *means)
