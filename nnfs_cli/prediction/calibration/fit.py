"""Fit the calibration of a trained net to rows that it was not trained on."""

from __future__ import annotations

from nnfs_cli.prediction.calibration.classes import ClassCalibration
from nnfs_cli.prediction.calibration.fit_classes import fit_classes
from nnfs_cli.prediction.calibration.fit_numbers import fit_numbers
from nnfs_cli.prediction.calibration.numbers import NumberCalibration
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor


def fit_calibration(
    predictor: Predictor, validation: EncodedRows, test: EncodedRows | None
) -> NumberCalibration | ClassCalibration | None:
    """Return a calibration fitted to the validation rows.

    There is none if the loss gives scores instead of probabilities, if several targets are classes, or if
    counts have an exposure: their spread depends on it.

    Validation rows may be out of fold: then each row is predicted by one member, while `predict` takes the mean of all
    members, which is better.
    """
    how = "validation" if validation.member is None else "out of fold"
    if predictor.encoder.pairs or predictor.encoder.exposure is not None:
        return None
    if predictor.encoder.classes is None:
        return fit_numbers(predictor, validation, test, how)
    return fit_classes(predictor, validation, test, how) if predictor.config.loss.probabilistic else None
