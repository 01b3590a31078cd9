"""What the target was, on average, where a word stood."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.data.steps.base import CategoryStep, Fit, in_order, rounding
from nnfs_cli.data.texts import Texts
from nnfs_cli.system.random import random_stream


class TargetMean(CategoryStep, name="target_mean", main="smoothing"):
    """The mean of the target in the rows of a word, drawn to the mean of all rows, where the word is rare.

    With n rows of the word: m = (n · mean_word + smoothing · mean) / (n + smoothing), and what comes out is
    y = (m - mean) / std, where mean and std are those of the target: how far off the word is, in units that are the
    target's own. A word never seen is 0. There is a column for each target, or class (one alone of two).

    A training row would know its own target. So training rows are dealt into `folds` at random, and each row gets what
    a fit to the rows of the other folds alone, their mean and std included, makes of its word.
    Source: Micci-Barreca, "A Preprocessing Scheme for High-Cardinality Categorical Attributes" (2001).
    """

    learns_target = True
    examples = ("target_mean", "target_mean: 100.0", "target_mean: {smoothing: 1.0, folds: 10}")

    smoothing: NonNegativeFloat = 10.0
    """The mean of all rows counts as much as so many rows of the word."""
    folds: Annotated[int, Field(strict=True, ge=2, le=100)] = 5
    """Into how many parts training rows are dealt."""

    def fit(self, texts: Texts, y: Array, seed: int) -> Fit:
        """For each word and column what comes out, from all rows, and from all rows but those of each fold."""
        return self.fit_drawn(texts, y, seed, self.fold_of(len(texts), seed))

    def fit_drawn(self, texts: Texts, y: Array, seed: int, folds: Array) -> Fit:
        """The same, of rows that belong to these folds."""
        words = in_order(list(texts.counts()))
        places = _places(texts, words)
        parts = [folds != k for k in range(self.folds)]
        return {
            "levels": words,
            "means": self._means(places, y, len(words)).tolist(),
            "folds": [self._means(places[part], y[part], len(words)).tolist() for part in parts],
        }

    def _means(self, places: Array, y: Array, n_words: int) -> Array:
        """(rows,) and (rows, n) -> (words, n)."""
        rows = np.bincount(places, minlength=n_words)
        means = np.zeros((n_words, y.shape[1]))
        for j, column in enumerate(y.T if len(y) else ()):
            sums = np.bincount(places, _standardised(column), n_words)
            np.divide(sums, rows + self.smoothing, out=means[:, j], where=rows > 0)
        return means

    def fold_of(self, n_rows: int, seed: int) -> Array:
        """Folds of the same size, dealt at random."""
        return random_stream(seed, "folds").permutation(np.arange(n_rows) % self.folds)

    def names(self, fit: Fit) -> tuple[str, ...]:
        """The column itself, or a number from 1 for each target or class."""
        n = len(fit["means"][0])
        return ("",) if n == 1 else tuple(f"target {j + 1}" for j in range(n))

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """(rows,) -> (rows, targets)."""
        places = _places(texts, fit["levels"])
        if folds is None:
            return _with_unseen(fit["means"])[places]
        return np.stack([_with_unseen(means) for means in fit["folds"]])[folds, places]


def _standardised(y: Array) -> Array:
    """Mean 0 and standard deviation 1, or all 0 for what is constant; squares stay within floating point."""
    z = y / (float(np.abs(y).max()) or 1.0)
    z -= z.mean()
    std = float(z.std())
    return z / std if std > rounding(1.0) else np.zeros_like(z)


def _places(texts: Texts, words: list[str | None]) -> Array:
    """Of each row's word; behind the last one for those never seen."""
    return texts.look_up({word: i for i, word in enumerate(words)}, len(words))


def _with_unseen(means: list[list[float]]) -> Array:
    return np.array([*means, [0.0] * len(means[0])], np.float64)
