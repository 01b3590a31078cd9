"""How unusual a row is: how far it is from the nearest of some training rows, beside how far these are from each other.

Each cell of an answer is one that training rows have, but together they may be odd, such as a pensioner of 20 years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.wording import percent

RARE = 0.95  # share of the training rows that are nearer to others than an unusual row is
FARTHEST = 3.0  # standard deviations that two cells of a column are apart, at most: one odd cell is not all of a row
FEWEST = 20  # training rows that are enough to tell


@dataclass(frozen=True)
class Background:
    """Inputs of the net for some training rows, (rows, features), and which of them come from each column.

    `scale` (features,) are their standard deviations, and `usual` (rows,) the distances of each row from the nearest of
    the others, in ascending order. The distance of two rows is the mean over the columns of the distances of their
    cells, which are the mean over the inputs of a column.
    """

    X: Array
    columns: Sequence[Array]
    scale: Array
    usual: Array = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, X: Array, columns: Sequence[Array]) -> Self | None:
        """Return the background; None if there are too few rows to tell what is unusual."""
        if len(X) < FEWEST:
            return None
        scale = X.std(axis=0, dtype=np.float64)
        plain = cls(X, columns, np.where(scale > 0, scale, 1.0))
        usual = [np.delete(plain.distances(row), i).min() for i, row in enumerate(X)]
        return cls(X, columns, plain.scale, np.sort(usual))

    def distances(self, row: Array) -> Array:
        """Return the distances (rows,) of the rows from a row (features,)."""
        apart = np.minimum(np.abs(self.X - row) / self.scale, FARTHEST)
        return np.asarray(np.mean([apart[:, inputs].mean(axis=1) for inputs in self.columns], axis=0))

    def rank(self, row: Array) -> float:
        """Return the share of the training rows that are nearer to another one than a row (features,) is to any."""
        return float(np.searchsorted(self.usual, self.distances(row).min()) / len(self.usual))

    def about(self, row: Array) -> str:
        """Return in words that a row (features,) is unusual; an empty text if it is not."""
        rank = self.rank(row)
        if rank < RARE:
            return ""
        nearer = "all" if rank == 1 else percent(rank)
        return f"unusual: farther from {len(self.X):,} training rows than {nearer} of them are from each other"
