"""Fit the calibration of a trained net to rows that it was not trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.metrics.probabilities import CalibrationError
from nnfs_cli.prediction.calibration.classes import ClassCalibration
from nnfs_cli.prediction.calibration.numbers import NumberCalibration
from nnfs_cli.prediction.calibration.scores import NonconformityScores, nonconformity
from nnfs_cli.prediction.calibration.temperature import fit_temperature, fit_to_mean, scale
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor

ROWS = 10_000  # the most rows that are used to compare members


def fit_calibration(
    predictor: Predictor, validation: EncodedRows, test: EncodedRows | None
) -> NumberCalibration | ClassCalibration | None:
    """Return a calibration fitted to the validation rows; None if the loss gives scores instead of probabilities.

    Validation rows may be out of fold: then each row is predicted by one member, while `predict` takes the mean of all
    members, which is better.
    """
    classes = predictor.encoder.classes is not None
    if classes and not predictor.config.loss.probabilistic:
        return None
    predicted = _usable(predictor.evaluate(validation)[1])
    if not len(predicted.y):
        return None
    members = None if validation.member is None else _by_member(predictor, validation)
    tested = None if test is None else _usable(predictor.evaluate(test)[1])
    tested = tested if tested is not None and len(tested.y) else None
    how = "validation" if validation.member is None else "out of fold"
    return (_fit_classes if classes else _fit_numbers)(how, predicted, members, tested)


def _fit_numbers(
    how: str, predicted: PredictedRows, members: Array | None, tested: PredictedRows | None
) -> NumberCalibration:
    """Return the calibration of numbers.

    The mean squared error of a mean is that of the members on average minus the variance among them, so errors out of
    fold are multiplied by sqrt(1 - variance / error).
    Source: Krogh and Vedelsby, "Neural Network Ensembles, Cross Validation, and Active Learning" (1995).
    """

    def scores(rows: PredictedRows) -> NonconformityScores:
        return NonconformityScores.from_rows(nonconformity(rows.y, rows.y_hat, classes=False), rows.weight)

    shrink = np.ones(1)
    if members is not None:
        error = np.maximum(((predicted.y - predicted.y_hat) ** 2).mean(axis=0), np.finfo(float).tiny)
        shrink = np.sqrt(np.maximum(1 - members.var(axis=0).mean(axis=0) / error, 0.1))
    distances = nonconformity(predicted.y, predicted.y_hat, classes=False)
    shrunk = NonconformityScores.from_rows(distances * shrink, predicted.weight)
    return NumberCalibration(how, shrunk, None if tested is None else scores(tested))


def _fit_classes(
    how: str, predicted: PredictedRows, members: Array | None, tested: PredictedRows | None
) -> ClassCalibration:
    """Return the calibration of classes.

    With members, the temperature is divided by the one that makes members as confident as their mean, unless the mean
    would become more confident than they are.
    """
    alone = temperature = fit_temperature(predicted.y_hat, predicted.y, predicted.weight)
    if members is not None:
        temperature = max(alone / fit_to_mean(members, members.mean(axis=0)), min(alone, 1.0))

    def scores(rows: PredictedRows) -> NonconformityScores:
        return NonconformityScores.from_rows(nonconformity(rows.y, scale(rows.y_hat, temperature), classes=True))

    before = tested or predicted
    after = PredictedRows(before.y, scale(before.y_hat, temperature), before.weight)
    errors = (CalibrationError().score(before), CalibrationError().score(after))
    return ClassCalibration(how, scores(predicted), None if tested is None else scores(tested), temperature, errors)


def _by_member(predictor: Predictor, rows: EncodedRows) -> Array:
    """Return what each member predicts for some of the rows, (members, rows, outputs)."""
    some = rows.take(np.linspace(0, len(rows) - 1, min(len(rows), ROWS)).astype(np.intp))
    alone = [replace(some, member=np.full(len(some), j)) for j in range(predictor.config.members)]
    return np.stack([predictor.evaluate(each)[1].y_hat for each in alone])


def _usable(rows: PredictedRows) -> PredictedRows:
    """Return the rows that have a weight and a finite prediction."""
    rows = rows.with_weight
    finite = np.isfinite(rows.y_hat).all(axis=-1)
    weight = None if rows.weight is None else rows.weight[finite]
    return PredictedRows(rows.y[finite], rows.y_hat[finite], weight, classes=rows.classes)
