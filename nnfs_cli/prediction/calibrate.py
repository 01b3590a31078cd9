"""How sure a trained net may be, by what it says of rows that it did not learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.metrics.probabilities import CalibrationError
from nnfs_cli.prediction.calibration import Calibration, Scores, best_temperature, softening, strangeness, tempered
from nnfs_cli.prediction.predictor import EncodedRows, Predictor

ROWS = 10_000  # by which members are compared with each other


def calibrate(predictor: Predictor, validation: EncodedRows, test: EncodedRows | None) -> Calibration | None:
    """By the validation rows, or those out of fold; None where answers are scores that mean no probability.

    Out of fold a row is judged by one member, and what is predicted is the mean of all, which is better. The mean
    squared error of a mean is that of the members on average without the variance among them (Krogh and Vedelsby,
    "Neural Network Ensembles, Cross Validation, and Active Learning", 1995), so errors count sqrt(1 - variance / error)
    of what they are. Of probabilities the temperature is divided by the one that makes members as sure as their mean,
    unless that would make them surer than they were.
    """
    classes = predictor.encoder.classes is not None
    if classes and not predictor.spec.loss.probabilistic:
        return None
    predicted = _finite(predictor.judge(validation)[1])
    if not len(predicted.y):
        return None
    members = None if validation.member is None else _by_member(predictor, validation)
    temperature, shrink = None, np.ones(1)
    if classes:
        temperature = best_temperature(predicted.y_hat, predicted.y, predicted.weight)
        if members is not None:
            alone = temperature
            temperature = max(alone / softening(members, members.mean(axis=0)), min(alone, 1.0))
    elif members is not None:
        error = np.maximum(((predicted.y - predicted.y_hat) ** 2).mean(axis=0), np.finfo(float).tiny)
        shrink = np.sqrt(np.maximum(1 - members.var(axis=0).mean(axis=0) / error, 0.1))
    tried = None if test is None else _finite(predictor.judge(test)[1])
    tried = tried if tried is not None and len(tried.y) else None

    def scores(of: PredictedRows, shrink: Array) -> Scores:
        answer = of.y_hat if temperature is None else tempered(of.y_hat, temperature)
        return Scores.of(strangeness(of.y, answer, classes) * shrink)

    errors = None
    if temperature is not None:
        judge = tried or predicted
        after = PredictedRows(judge.y, tempered(judge.y_hat, temperature), judge.weight)
        errors = (CalibrationError().score(judge), CalibrationError().score(after))
    how = "validation" if validation.member is None else "out of fold"
    of_test = None if tried is None else scores(tried, np.ones(1))
    return Calibration(how, scores(predicted, shrink), temperature, of_test, errors)


def _by_member(predictor: Predictor, rows: EncodedRows) -> Array:
    """What each member says of some of the rows, (members, rows, outputs)."""
    some = rows.take(np.linspace(0, len(rows) - 1, min(len(rows), ROWS)).astype(np.intp))
    alone = [replace(some, member=np.full(len(some), j)) for j in range(predictor.spec.members)]
    return np.stack([predictor.judge(each)[1].y_hat for each in alone])


def _finite(predicted: PredictedRows) -> PredictedRows:
    """Without rows that count nothing or have no answer."""
    predicted = predicted.with_weight
    rows = np.isfinite(predicted.y_hat).all(axis=-1)
    weight = None if predicted.weight is None else predicted.weight[rows]
    return PredictedRows(predicted.y[rows], predicted.y_hat[rows], weight, classes=predicted.classes)
