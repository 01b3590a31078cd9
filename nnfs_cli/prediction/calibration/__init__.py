"""Calibration: estimate the errors of a net from rows that it was not trained on.

Nonconformity scores (`scores`) become prediction intervals and sets of classes; temperature scaling (`temperature`)
corrects probabilities. `calibration` holds both for one net, and `fit` finds them when training ends.
"""

from nnfs_cli.prediction.calibration.calibration import Calibration
from nnfs_cli.prediction.calibration.scores import NonconformityScores

__all__ = ["Calibration", "NonconformityScores"]
