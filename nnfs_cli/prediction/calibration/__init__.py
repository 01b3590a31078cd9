"""Calibration: estimate the errors of a net from rows that it was not trained on.

Nonconformity scores become prediction intervals (`scores`, `numbers`) and sets of classes (`class_scores`, `classes`).
Temperature scaling (`temperature`) corrects probabilities, and `error` tells how wrong they are. `fit` finds all of
this when training ends, with `fit_classes` for classes and `fit_numbers` for numbers. `spread` makes intervals as wide
as a row is hard, `fit_spread` learns it, and `log_linear` is where it starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnfs_cli.prediction.calibration.classes import ClassCalibration
from nnfs_cli.prediction.calibration.numbers import NumberCalibration
from nnfs_cli.prediction.calibration.scores import NonconformityScores

__all__ = ["ClassCalibration", "NonconformityScores", "NumberCalibration", "calibration_from_json"]


def calibration_from_json(plain: Mapping[str, Any]) -> NumberCalibration | ClassCalibration:
    """Return the calibration that its `to_json` described. Raises `ValueError` if it is not valid."""
    of_classes = plain.get("temperature") is not None  # earlier releases wrote null for numbers
    return (ClassCalibration if of_classes else NumberCalibration).from_json(plain)
