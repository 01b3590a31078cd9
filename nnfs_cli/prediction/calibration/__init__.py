"""Calibration: what rows that a net was not trained on tell about its errors.

Nonconformity scores (`scores`) become prediction intervals and sets of classes; temperature scaling (`temperature`)
corrects probabilities. `calibration` holds both for one net, and `fit` finds them when training ends.
"""

from nnfs_cli.prediction.calibration.calibration import Calibration
from nnfs_cli.prediction.calibration.scores import NonconformityScores

__all__ = ["Calibration", "NonconformityScores"]
