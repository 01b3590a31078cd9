"""Find rows whose label is probably wrong, from the probabilities of nets that have not seen these rows.

This is confident learning: a class counts as likely for a row if its probability is at least as high as it is on
average for the rows that have its label, so a class that is hard to tell has a lower threshold than an easy one. A
label is probably wrong if only other classes are likely for its row, or if the likeliest of several is another one.
Source: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array

TOLERANCE = 1e-6  # a probability that is lower than the threshold by less counts as likely
LEAST = 1e-6  # threshold; a class that no row of its label is likely to have has this one


class LabelErrors(NamedTuple):
    """The rows whose label is probably wrong, the most improbable label first: indices and class indices, (found,)."""

    rows: Array
    likely: Array


def label_errors(given: Array, probability: Array) -> LabelErrors:
    """Return the rows whose label is probably wrong.

    `given` (rows,) are class indices, and `probability` (rows, classes) those of nets that have not seen the row.

    >>> given = np.array([0, 0, 0, 1, 1, 1])
    >>> second = np.array([0.1, 0.2, 0.9, 0.9, 0.8, 0.7])
    >>> label_errors(given, np.stack([1 - second, second], axis=1)).rows
    array([2])
    """
    confident = probability >= confident_thresholds(given, probability) - TOLERANCE
    likeliest = probability.argmax(axis=1)
    likely = np.where(confident.sum(axis=1) > 1, likeliest, confident.argmax(axis=1))
    own = probability[np.arange(len(given)), given]
    wrong = confident.any(axis=1) & (likely != given) & (probability.max(axis=1) > own)
    rows = np.flatnonzero(wrong)
    rows = rows[np.argsort(-suspicion(given, probability)[rows], kind="stable")]
    return LabelErrors(rows, likely[rows])


def confident_thresholds(given: Array, probability: Array) -> Array:
    """Return the mean probability of each class among the rows that have its label, (classes,); 2 without any row."""
    n_classes = probability.shape[1]
    counts = np.bincount(given, minlength=n_classes)
    own = probability[np.arange(len(given)), given].astype(np.float64)
    sums = np.bincount(given, own, n_classes)
    return np.where(counts > 0, np.maximum(sums / np.maximum(counts, 1), LEAST), 2.0)


def suspicion(given: Array, probability: Array) -> Array:
    """Return how improbable each label is, (rows,) from 0 to 1: 1 minus its probability."""
    return np.asarray(1 - probability[np.arange(len(given)), given].astype(np.float64))
