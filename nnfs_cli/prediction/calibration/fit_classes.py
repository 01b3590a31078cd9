"""Fit the calibration of classes to rows that the net was not trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.prediction.calibration.class_scores import class_scores
from nnfs_cli.prediction.calibration.classes import ClassCalibration, without_class_weights
from nnfs_cli.prediction.calibration.error import calibration_error, scaled_out_of_fold
from nnfs_cli.prediction.calibration.temperature import fit_temperature, fit_to_mean, scale


def fit_classes(
    how: str,
    predicted: PredictedRows,
    members: tuple[Array, Array | None] | None,
    tested: PredictedRows | None,
    class_weights: tuple[float, ...] | None,
) -> ClassCalibration:
    """Return the calibration of classes, as frequent as they are among the rows, whatever their weights in training.

    `members` are what each predicts for some of the rows, (members, rows, classes), and the weights of these rows,
    (rows,). With members, the temperature is divided by the one that makes members as confident as their mean, unless
    the mean would become more confident than they are.
    """
    rows = _as_frequent(predicted, class_weights)
    alone = temperature = fit_temperature(rows.y_hat, rows.y, rows.weight)
    if members is not None:
        p = without_class_weights(members[0], class_weights)
        temperature = max(alone / fit_to_mean(p, p.mean(axis=0), members[1]), min(alone, 1.0))
    scores = class_scores(rows.y, scale(rows.y_hat, temperature), rows.weight)
    if tested is None:
        before, after = predicted.y_hat, scaled_out_of_fold(rows.y_hat, rows.y, rows.weight, temperature / alone)
        test_scores = None
    else:
        rows = _as_frequent(tested, class_weights)
        before, after = tested.y_hat, scale(rows.y_hat, temperature)
        test_scores = class_scores(rows.y, after, rows.weight)
    errors = (calibration_error(before, rows.y, rows.weight), calibration_error(after, rows.y, rows.weight))
    return ClassCalibration(how, scores, test_scores, temperature, errors, class_weights)


def _as_frequent(rows: PredictedRows, class_weights: tuple[float, ...] | None) -> PredictedRows:
    """Return rows with probabilities and weights as if classes had no weights.

    Weights with a mean below 1 are scaled to a mean of 1, so that weights that only compare rows, such as shares, do
    not make the rows count as fewer than they are.
    """
    weight = rows.weight
    if weight is not None:
        weight = weight.astype(np.float64) / (1 if class_weights is None else np.array(class_weights)[rows.y])
        weight = weight / min(float(weight.mean()), 1.0)
    return replace(rows, y_hat=without_class_weights(rows.y_hat, class_weights), weight=weight)
