"""Categories as vectors that the net learns."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Count
from nnfs_cli.data.steps.base import Fit, KnownCategoriesStep, code_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.pipeline.elementwise import cast, less, where
from nnfs_cli.pipeline.value import Value

MAX_DEFAULT_SIZE = 50  # length of a vector unless `size` is set


class Embedding(KnownCategoriesStep, name="embedding", main="size"):
    """Give each category a vector that the net learns: y = weight[code(x)]; similar categories get similar vectors.

    This step computes the code, from 0 on; the first layer of the net holds one row of weights for each code and looks
    the vector up.

    Fitted: the categories of the training rows. An empty cell is a category if training rows had one. Rare categories
    share a vector; if there are none, an unknown category (with `unseen: other`) becomes a vector of zeros.
    Source: Guo and Berkhahn, "Entity Embeddings of Categorical Variables" (2016).
    """

    examples = ("embedding", "embedding: 8", "embedding: {min_frequency: 5, unseen: other}")

    size: Count | None = Field(default=None, kw_only=False)
    """Length of the vectors. By default 1.6 n^0.56 for n categories (the rule of fastai), at most 50."""

    def n_rows(self, fit: Fit) -> int:
        """Return the number of codes, which is the number of vectors."""
        return len(fit["levels"]) + int(fit["other"])

    def width(self, fit: Fit) -> int:
        """Return the length of the vectors."""
        return self.size or min(MAX_DEFAULT_SIZE, round(1.6 * self.n_rows(fit) ** 0.56))

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """Return the codes, (rows, 1); -1 for a category without a code."""
        codes = self.codes(texts, fit)
        return np.where(codes < self.n_rows(fit), codes, -1.0)[:, None]

    def operations(self, text: Value, fit: Fit) -> Value:
        """Return the code, (1,); -1 for a category without a code."""
        code = code_of(text, fit)
        return where(less(code, self.n_rows(fit)), cast(code, "float64"), -1.0)
