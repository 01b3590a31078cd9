"""Fit the calibration of a trained net to rows that it was not trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.prediction.calibration.classes import ClassCalibration
from nnfs_cli.prediction.calibration.fit_classes import fit_classes
from nnfs_cli.prediction.calibration.fit_numbers import fit_numbers
from nnfs_cli.prediction.calibration.numbers import NumberCalibration
from nnfs_cli.prediction.encoded_rows import EncodedRows, latest
from nnfs_cli.prediction.predictor import Predictor

ROWS = 10_000  # the most rows that are used to compare members


def fit_calibration(
    predictor: Predictor, validation: EncodedRows, test: EncodedRows | None
) -> NumberCalibration | ClassCalibration | None:
    """Return a calibration fitted to the validation rows; None if the loss gives scores instead of probabilities.

    Validation rows may be out of fold: then each row is predicted by one member, while `predict` takes the mean of all
    members, which is better. If folds go forward, the latest ones count, since the rows to predict are still later.
    """
    if predictor.config.forward:
        validation = latest(validation)
    how = "validation" if validation.member is None else "out of fold"
    if predictor.encoder.classes is None:
        return fit_numbers(predictor, validation, test, how)
    if not predictor.config.loss.probabilistic:
        return None
    predicted = _usable(predictor.evaluate(validation)[1])
    if not len(predicted.y):
        return None
    # Where folds go forward, most members have seen these rows, so that nothing is known of the mean of all.
    alone = validation.member is None or predictor.config.forward
    members = None if alone else _by_member(predictor, validation)
    tested = None if test is None else _usable(predictor.evaluate(test)[1])
    tested = tested if tested is not None and len(tested.y) else None
    return fit_classes(how, predicted, members, tested, predictor.encoder.class_weights)


def _by_member(predictor: Predictor, rows: EncodedRows) -> tuple[Array, Array | None]:
    """Return what each member predicts for some of the rows, (members, rows, outputs), and their weights, (rows,)."""
    some = rows.take(np.linspace(0, len(rows) - 1, min(len(rows), ROWS)).astype(np.intp))
    alone = [replace(some, member=np.full(len(some), j)) for j in range(predictor.config.members)]
    return np.stack([predictor.evaluate(each)[1].y_hat for each in alone]), some.weight


def _usable(rows: PredictedRows) -> PredictedRows:
    """Return the rows that have a weight and a finite prediction."""
    rows = rows.with_weight
    finite = np.isfinite(rows.y_hat).all(axis=-1)
    weight = None if rows.weight is None else rows.weight[finite]
    return PredictedRows(rows.y[finite], rows.y_hat[finite], weight, classes=rows.classes)
