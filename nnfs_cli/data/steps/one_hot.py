"""A column of 0 and 1 for every word."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import EMPTY, OTHER, Fit, LevelStep
from nnfs_cli.data.texts import Texts


class OneHot(LevelStep, name="one_hot"):
    """A column for every word of the training rows, 1 in the rows that hold it: y_k = 1 if x is word k, else 0.

    An empty cell has a column like a word, if training rows had one. Where rare words were put together there is one
    more column, "other"; where they were not, a word never seen is 0 in every column, if it is taken at all.
    Source: Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning" (2009), section 2.2.
    """

    examples = ("one_hot", "one_hot: {min_frequency: 10, unseen: other}", "one_hot: {max_categories: 20}")
    most = 1000

    def names(self, fit: Fit) -> tuple[str, ...]:
        """The words; what stands for an empty cell, or for others, gets brackets until it is no word itself."""
        names = [word for word in fit["levels"] if word is not None]
        for name in [EMPTY] * (None in fit["levels"]) + [OTHER] * fit["other"]:
            while name in names:
                name = f"({name})"
            names.append(name)
        return tuple(names)

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """(rows,) -> (rows, words), int8 since nothing but 0 and 1 is there."""
        columns = np.arange(len(fit["levels"]) + fit["other"])
        found: Array = self.places(texts, fit)[:, None] == columns
        return found.view(np.int8)
