"""A column of 0 and 1 for each category."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import EMPTY, OTHER, Fit, KnownCategoriesStep, code_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.pipeline.elementwise import cast, equal
from nnfs_cli.pipeline.value import Value


class OneHot(KnownCategoriesStep, name="one_hot"):
    """Make an indicator column for each category of the training rows: y_k = 1 if x is category k, else 0.

    Fitted: the categories of the training rows, at most 1,000. Empty cells have a column if training rows had one. Rare
    categories share one more column, "other"; if there are none, an unknown category (with `unseen: other`) is 0 in
    every column.
    Source: Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning" (2009), section 2.2.
    """

    examples = ("one_hot", "one_hot: {min_frequency: 10, unseen: other}", "one_hot: {max_categories: 20}")
    max_columns = 1000

    def names(self, fit: Fit) -> tuple[str, ...]:
        """Return the categories; "(empty)" and "other" get further brackets while they are categories themselves."""
        names = [category for category in fit["levels"] if category is not None]
        for name in [EMPTY] * (None in fit["levels"]) + [OTHER] * fit["other"]:
            while name in names:
                name = f"({name})"
            names.append(name)
        return tuple(names)

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """Transform categories (rows,) into indicators (rows, n), int8."""
        columns = np.arange(len(fit["levels"]) + fit["other"])
        found: Array = self.codes(texts, fit)[:, None] == columns
        return found.view(np.int8)

    def operations(self, text: Value, fit: Fit) -> Value:
        """Return the indicators of the categories."""
        return cast(equal(code_of(text, fit), np.arange(len(fit["levels"]) + fit["other"])), "float64")
