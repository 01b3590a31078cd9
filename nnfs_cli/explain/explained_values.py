"""What reasons explain: a number for each target, in its own units, or log-odds for classes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.weights import log_odds
from nnfs_cli.metrics import decide
from nnfs_cli.prediction.calibration import ClassCalibration
from nnfs_cli.prediction.predictor import Predictor

Unit = Literal["log-odds", "score", "units of the target"]


def unit_of(predictor: Predictor) -> Unit:
    """Return what the explained numbers count."""
    if not (predictor.encoder.classes or predictor.encoder.pairs):
        return "units of the target"
    return "log-odds" if predictor.config.loss.probabilistic else "score"


def explained_values(predictor: Predictor, y_hat: Array) -> Array:
    """Return the explained numbers (rows, n), float64, for outputs (rows, outputs) of the net or its blend.

    Of two classes it is the log-odds of the second, ln p - ln (1 - p), of more classes those of each class against all
    others, and of several targets of two classes those of the second class of each. A loss without probabilities has
    scores in their place. Numbers are in the target's own units; a count with an exposure is a rate. Where intervals
    are asked for, log-odds are those of the calibrated probabilities.
    """
    encoder, interval = predictor.encoder, predictor.decision.interval
    answer = predictor.answer(y_hat)
    if encoder.classes and interval is not None and isinstance(interval.calibration, ClassCalibration):
        answer = interval.calibration.scale(answer)
    if encoder.classes and len(encoder.classes) == 2:
        answer = answer[:, 1:]
    answer = answer.astype(np.float64)
    return log_odds(answer[..., None])[..., 0] if unit_of(predictor) == "log-odds" else answer


def explained_class(predictor: Predictor, y_hat: Array) -> Array | None:
    """Return for outputs (rows, outputs) which of more than two classes is predicted, (rows,), else None."""
    classes = predictor.encoder.classes
    if classes is None or len(classes) == 2:
        return None
    return np.asarray(decide(predictor.answer(y_hat), predictor.decision.threshold))
