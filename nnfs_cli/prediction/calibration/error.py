"""The calibration error of probabilities, without the bias of the usual estimate."""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics.probabilities import CalibrationError
from nnfs_cli.prediction.calibration.temperature import fit_temperature, scale

FOLDS = 5
ROWS = 10_000  # the most rows that a temperature is fitted to out of fold; with more, it makes no difference
CHANCE = "no more than chance explains"  # what an error of 0 stands for


def squared_calibration_error(p: Array, truth: Array, weight: Array | None = None, group: Array | None = None) -> float:
    """Return an estimate of the squared calibration error, from probabilities (rows, classes) of classes (rows,).

    What is estimated is Σ_b P(b) E[right - confidence | b]², where b are the bins of the metric `calibration_error`,
    the confidence is the probability of the most probable class, and right is 1 if that is the true class and else 0.
    The square of a mean exceeds the square of its expectation by the variance of the mean. So only products of two
    different rows of a bin enter, or of rows of different groups, if there is a `group` (rows,). The mean of the
    estimate over many samples is therefore the squared error on new rows, except that bins with a single row or group
    give 0. A single estimate may be below 0. A row of `weight` 2 is two rows.
    Source: Kumar, Liang and Ma, "Verified Uncertainty Calibration" (2019), section 4; Bröcker, "Estimating reliability
    and resolution of probability forecasts through decomposition of the empirical score" (2012).
    """
    confidence = p.max(axis=-1).astype(np.float64)
    gap = (p.argmax(axis=-1) == truth) - confidence
    weights = np.ones(len(gap)) if weight is None else weight.astype(np.float64)
    of_bin = CalibrationError().bin_of(confidence)
    n, total = np.bincount(of_bin, weights), np.bincount(of_bin, weights * gap)
    if group is None:
        same, same_n = np.bincount(of_bin, weights * gap**2), n
    else:
        pairs, of_pair = np.unique(np.stack([of_bin, group]), axis=1, return_inverse=True)
        parts = (np.bincount(of_pair.reshape(-1), each) for each in (weights * gap, weights))
        same, same_n = (np.bincount(pairs[0], part**2) for part in parts)
    enough = n**2 > 1.5 * same_n
    n, products, total_pairs = n[enough], (total**2 - same)[enough], (n**2 - same_n)[enough]
    return float((n * products / total_pairs).sum() / weights.sum())


def calibration_error(p: Array, truth: Array, weight: Array | None = None, group: Array | None = None) -> float:
    """Return the root of `squared_calibration_error`, 0 to 1; 0 if that is below 0."""
    return math.sqrt(min(max(squared_calibration_error(p, truth, weight, group), 0.0), 1.0))


def scaled_out_of_fold(
    p: Array, truth: Array, weight: Array | None = None, group: Array | None = None, alike: float = 1.0
) -> Array:
    """Return probabilities (rows, classes) at temperatures T · `alike`, each T fitted without the fold of its row.

    Rows of a group, or equal rows without groups, are in the same of 5 folds, whatever the order of the rows.
    """
    unit = np.unique(p, axis=0, return_inverse=True)[1].reshape(-1) if group is None else group
    scaled = np.empty(p.shape)
    for k in range(FOLDS):
        held_out, others = np.flatnonzero(unit % FOLDS == k), np.flatnonzero(unit % FOLDS != k)
        others = others[:: max(1, len(others) // ROWS)]
        temperature = fit_temperature(p[others], truth[others], None if weight is None else weight[others], alike)
        scaled[held_out] = scale(p[held_out], temperature * alike)
    return scaled
