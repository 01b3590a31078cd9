"""Rows with similar predictions, dealt into strata, in which errors can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array

LIKE = 40  # rows with similar predictions in a stratum
NEXT = 9  # strata whose errors are taken to vary alike


@dataclass(frozen=True, eq=False)
class Strata:
    """Strata of rows with similar predictions: the `stratum` of each by index, and its `height`, (rows,) each.

    The height is a number that says how similar the predictions of two rows are.
    """

    stratum: Array
    height: Array

    @classmethod
    def of(cls, y_hat: Array, of_classes: bool, rng: np.random.Generator) -> Strata:
        """Put about `LIKE` rows with similar predictions y_hat (rows, outputs) into each stratum.

        Rows are ordered by their number, or by the mean of several numbers, each in units of its own deviation; of
        classes by the most probable one, then by its probability. Equal predictions are in random order.
        """
        n, y_hat = len(y_hat), y_hat.astype(np.float64)
        if of_classes:
            height, decided = y_hat.max(axis=1), y_hat.argmax(axis=1)
        else:
            deviation = y_hat.std(axis=0)
            height, decided = (y_hat / np.where(deviation > 0, deviation, 1)).mean(axis=1), np.zeros(n)
        order = np.lexsort((rng.random(n), height, decided))
        stratum = np.empty(n, np.intp)
        stratum[order] = np.arange(n) * max(1, n // LIKE) // n
        return cls(stratum, height)

    def mean(self, values: Array) -> Array:
        """Return the mean of values (rows,) in the stratum of each row."""
        return np.asarray((np.bincount(self.stratum, values) / np.bincount(self.stratum))[self.stratum])

    def smooth_mean(self, values: Array) -> Array:
        """Return the mean of values (rows,) in the stratum of each row and those next to it.

        In a single stratum, rare errors may all be missing.
        """
        ones = np.ones(min(NEXT, int(self.stratum.max()) + 1))
        sums, rows = (np.convolve(np.bincount(self.stratum, each), ones, "same") for each in (values, None))
        return np.asarray((sums / rows)[self.stratum])

    def centred(self, errors: Array) -> Array:
        """Return by how much the error of each row, (rows,), exceeds the straight line in its stratum.

        A stratum at the end of the predictions reaches far, so rows in it are not quite alike.
        """
        height = self.height - self.mean(self.height)
        errors = errors - self.mean(errors)
        spread = self.mean(np.square(height))
        slope = np.divide(self.mean(height * errors), spread, out=np.zeros(len(errors)), where=spread > 0)
        return np.asarray(errors - slope * height)
