"""The calibration error of probabilities, without the bias of the usual estimate."""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics.probabilities import CalibrationError
from nnfs_cli.prediction.calibration.temperature import fit_temperature, scale

FOLDS = 5
ROWS = 10_000  # the most rows that a temperature is fitted to out of fold; with more, it makes no difference


def squared_calibration_error(p: Array, truth: Array, weight: Array | None = None) -> float:
    """Return an estimate of the squared calibration error, from probabilities (rows, classes) of classes (rows,).

    What is estimated is Σ_b P(b) E[right - confidence | b]², where b are the bins of the metric `calibration_error`,
    the confidence is the probability of the most probable class, and right is 1 if that is the true class and else 0.
    In each bin, the square of a mean over n rows exceeds the square of its expectation by the variance of the mean, so
    only products of two different rows enter: (S² - Q) / (n (n - 1)), with the sum S of the differences and the sum Q
    of their squares. The mean of the estimate over many samples is therefore the squared error on new rows, except
    that bins with a single row give 0. A single estimate may be below 0.
    Source: Kumar, Liang and Ma, "Verified Uncertainty Calibration" (2019), section 4; Bröcker, "Estimating reliability
    and resolution of probability forecasts through decomposition of the empirical score" (2012).
    """
    confidence = p.max(axis=-1).astype(np.float64)
    gap = (p.argmax(axis=-1) == truth) - confidence
    weights = np.ones(len(gap)) if weight is None else weight.astype(np.float64)
    of_bin = CalibrationError().bin_of(confidence)
    n, s, q = (np.bincount(of_bin, each) for each in (weights, weights * gap, weights * gap**2))
    enough = n > 2 - 1e-9
    return float(((s**2 - q)[enough] / (n[enough] - 1)).sum() / weights.sum())


def calibration_error(p: Array, truth: Array, weight: Array | None = None) -> float:
    """Return the root of `squared_calibration_error`, 0 to 1; 0 if that is below 0."""
    return math.sqrt(max(squared_calibration_error(p, truth, weight), 0.0))


def scaled_out_of_fold(p: Array, truth: Array, weight: Array | None, factor: float) -> Array:
    """Return probabilities (rows, classes), each scaled by a temperature that was fitted without its fold.

    `factor` multiplies each temperature. Equal rows are in the same of 5 folds, whatever their order.
    """
    fold = np.unique(p, axis=0, return_inverse=True)[1].reshape(-1) % FOLDS
    scaled = np.empty(p.shape)
    for k in range(FOLDS):
        held_out, others = np.flatnonzero(fold == k), np.flatnonzero(fold != k)[:: max(1, len(p) // ROWS)]
        temperature = fit_temperature(p[others], truth[others], None if weight is None else weight[others])
        scaled[held_out] = scale(p[held_out], temperature * factor)
    return scaled
