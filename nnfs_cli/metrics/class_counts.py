"""How many rows of each class there are, how many are predicted as this class, and how many of these are right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics.base import PredictedRows
from nnfs_cli.metrics.resamples import Resamples


class ClassCounts(NamedTuple):
    """The rows of each class by how they are predicted, (..., classes): numbers of rows, or their weights."""

    hits: Array
    """Rows of the class that are predicted as it."""
    true: Array
    """Rows of the class."""
    said: Array
    """Rows that are predicted as the class."""

    @property
    def precision(self) -> Array:
        """The share of the rows predicted as a class that belong to it; NaN for a class that is never predicted."""
        return _share(self.hits, self.said)

    @property
    def recall(self) -> Array:
        """The share of the rows of a class that are predicted as this class; NaN for a class without rows."""
        return _share(self.hits, self.true)

    @property
    def f1(self) -> Array:
        """The harmonic mean of precision and recall; NaN for a class that is neither true nor predicted."""
        return _share(2 * self.hits, self.true + self.said)


def _share(part: Array, whole: Array) -> Array:
    """Return part / whole, and NaN for 0 / 0."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def class_counts(rows: PredictedRows, resamples: Resamples, together: bool = True) -> ClassCounts:
    """Return the weights of the rows of each class in every resample, (resamples, classes).

    For each class with rows, a right and a wrong row are imagined; see `Resamples.imagined`. They are half a unit each
    for the figure of a class by itself, which is Jeffreys' choice. Those of all classes `together` are less if many
    classes are as small as the smallest, so that a mean over them is not moved; if one class has far fewer rows than
    the others, its figure is what makes the mean uncertain, and half a unit is right again.
    """
    n_classes = rows.y_hat.shape[1]
    pairs, codes = np.unique(rows.y * n_classes + rows.decided, return_inverse=True)
    by_pair = resamples.sums(codes.reshape(-1), len(pairs))
    true, said = (np.eye(n_classes)[each] for each in (pairs // n_classes, pairs % n_classes))  # (pairs, classes)
    units = min(0.5, 1 / _uncertain_classes(rows)) if together else 0.5
    right, wrong = np.split(resamples.imagined(2 * n_classes, units).T * np.tile(true.any(axis=0), 2), 2, 1)
    both = right + wrong
    return ClassCounts(by_pair @ (true * said) + right, by_pair @ true + both, by_pair @ said + both)


def _uncertain_classes(rows: PredictedRows) -> float:
    """Return how many classes make a mean over classes uncertain: all if they have as many rows, 1 if one is tiny."""
    n = np.bincount(rows.y, rows.weight)
    variance = 1 / n[n > 0]
    return float(np.square(variance.sum()) / np.square(variance).sum())
