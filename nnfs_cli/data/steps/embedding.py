"""Learned vectors for words."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveInt
from nnfs_cli.data.steps.base import Fit, LevelStep
from nnfs_cli.data.texts import Texts

WIDEST = 50  # that is taken unasked


class Embedding(LevelStep, name="embedding", main="size"):
    """Give every word a vector that the net learns: y = weight[code(x)], words that act alike get vectors alike.

    This step finds the code, 0 for the first word; the net's first layer, which has a row of weights for each, looks
    the vector up. Where rare words were put together they share a vector; where they were not, a word never seen is
    all zeros, if it is taken at all. An empty cell is a word like any other, if training rows had one.
    Source: Guo and Berkhahn, "Entity Embeddings of Categorical Variables" (2016).
    """

    examples = ("embedding", "embedding: 8", "embedding: {min_frequency: 5, unseen: other}")

    size: PositiveInt | None = None
    """How long the vectors are; 1.6 n^0.56 for n words (fastai's rule), and no more than 50, unless set."""

    def n_rows(self, fit: Fit) -> int:
        """How many codes there are, and so vectors."""
        return len(fit["levels"]) + int(fit["other"])

    def width(self, fit: Fit) -> int:
        """How long the vectors are."""
        return self.size or min(WIDEST, round(1.6 * self.n_rows(fit) ** 0.56))

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """(rows,) -> (rows, 1), the codes; -1 for a word that has none."""
        places = self.places(texts, fit)
        return np.where(places < self.n_rows(fit), places, -1.0)[:, None]
