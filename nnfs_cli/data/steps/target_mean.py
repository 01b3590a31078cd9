"""Categories as the mean of the target in their rows."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.data.steps.base import CategoryStep, Fit, code_of, rounding_error, sort_categories
from nnfs_cli.data.texts import Texts
from nnfs_cli.data.weighted import deviation, mean
from nnfs_cli.pipeline.shapes import rows_of
from nnfs_cli.pipeline.value import Value, constant
from nnfs_cli.system.random import random_stream


class TargetMean(CategoryStep, name="target_mean", main="smoothing"):
    """Replace a category by the mean of the target in its rows, shrunk towards the overall mean if it is rare.

    For a category with n rows, m = (n · mean_category + smoothing · mean) / (n + smoothing), and the output is
    y = (m - mean) / std, with the mean and standard deviation of the target over all training rows. There is one column
    for each target or class, and a single one for two classes.

    A training row must not see its own target. Training rows are therefore dealt into `folds` at random, and each row
    gets the mean that was fitted to the rows of the other folds alone. With weights of rows, n is the sum of a
    category's weights, and a row lies in one fold, whatever its weight; copies of a row may lie in several folds.

    Fitted: the output for each category, from all training rows and from all folds but one. An empty cell is a category
    if training rows had one; an unknown category becomes 0, the overall mean.
    Source: Micci-Barreca, "A Preprocessing Scheme for High-Cardinality Categorical Attributes" (2001).
    """

    learns_target = True
    examples = ("target_mean", "target_mean: 100.0", "target_mean: {smoothing: 1.0, folds: 10}")

    smoothing: NonNegativeFloat = Field(default=10.0, kw_only=False)
    """Weight of the overall mean, in rows: a category of this many rows gets the mean of its own mean and this one."""
    folds: Annotated[int, Field(strict=True, ge=2, le=100)] = 5
    """Number of folds into which training rows are dealt."""

    def fit(self, texts: Texts, y: Array, seed: int, weights: Array | None = None) -> Fit:
        """Return the output for each category, from all rows and from all rows but those of each fold."""
        return self.fit_sample(texts, y, seed, self.assign_folds(len(texts), seed), weights)

    def fit_sample(self, texts: Texts, y: Array, seed: int, folds: Array, weights: Array | None = None) -> Fit:
        """Return the outputs fitted to rows of these folds, (rows,)."""
        categories = sort_categories(list(texts.counts()))
        codes = _codes(texts, categories)

        def means(rows: Array | slice) -> list[list[float]]:
            """Return the output for each category, (categories, n), fitted to these rows."""
            return self._means(codes[rows], y[rows], len(categories), None if weights is None else weights[rows])

        others = [folds != k for k in range(self.folds)]  # the rows outside fold k
        return {"levels": categories, "means": means(slice(None)), "folds": list(map(means, others))}

    def _means(self, codes: Array, y: Array, n_categories: int, weights: Array | None) -> list[list[float]]:
        """Return the output for each category, from codes (rows,), targets y (rows, n) and weights (rows,)."""
        rows = np.bincount(codes, weights, n_categories)
        means = np.zeros((n_categories, y.shape[1]))
        for j, column in enumerate(y.T if len(y) else ()):
            z = _standardized(column, weights)
            sums = np.bincount(codes, z if weights is None else z * weights, n_categories)
            np.divide(sums, rows + self.smoothing, out=means[:, j], where=rows > 0)
        of_categories: list[list[float]] = means.tolist()
        return of_categories

    def assign_folds(self, n_rows: int, seed: int) -> Array:
        """Return a random fold for each row, (rows,); folds are of equal size."""
        return random_stream(seed, "folds").permutation(np.arange(n_rows) % self.folds)

    def names(self, fit: Fit) -> tuple[str, ...]:
        """Return the name of the column itself, or "target 1" and so on for several targets or classes."""
        n = len(fit["means"][0])
        return ("",) if n == 1 else tuple(f"target {j + 1}" for j in range(n))

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """Transform categories (rows,) into (rows, targets). A row of fold -1 was in no fold."""
        codes = _codes(texts, fit["levels"])
        if folds is None:
            return _with_unknown(fit["means"])[codes]
        return np.stack([_with_unknown(means) for means in (*fit["folds"], fit["means"])])[folds, codes]

    def operations(self, text: Value, fit: Fit) -> Value:
        """Return the mean of the category from all training rows, or 0 for an unknown one."""
        return rows_of(constant(_with_unknown(fit["means"])), code_of(text, fit))


def _standardized(y: Array, weights: Array | None) -> Array:
    """Return y with mean 0 and standard deviation 1, or zeros if it is constant; squares do not overflow."""
    z = y / (float(np.abs(y).max()) or 1.0)
    z -= mean(z, weights)
    std = deviation(z, weights)
    return z / std if std > rounding_error(1.0) else np.zeros_like(z)


def _codes(texts: Texts, categories: list[str | None]) -> Array:
    """Return the code of each row's category, (rows,); unknown categories share the code behind the last one."""
    return texts.look_up({category: code for code, category in enumerate(categories)}, len(categories))


def _with_unknown(means: list[list[float]]) -> Array:
    return np.array([*means, [0.0] * len(means[0])], np.float64)
