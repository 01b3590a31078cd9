"""Rows in which some columns are shuffled: how much worse they are predicted says what these columns tell.

The mean growth of the loss is a U-statistic of two rows: one receives cells, and another one gives them. So each row
adds to its variance twice, and both parts are in the values that the interval is computed from.
Source: Hoeffding, "A Class of Statistics with Asymptotically Normal Distribution" (1948).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.workflows.verdicts.interval import Mean, mean_of


class Growth(NamedTuple):
    """The mean growth of the loss when some inputs are shuffled, and the outputs (repeats, rows, n) for the rows."""

    mean: Mean
    outputs: Array


class ShuffledRows:
    """Held-out rows whose inputs can be shuffled, with a function from rows to outputs and one to losses (rows,).

    Each of the `repeats` gives every row the inputs of another row; all columns are shuffled by the same draws. Rows
    that one member predicts give to each other only, since encodings may differ between the members.
    """

    def __init__(
        self,
        rows: EncodedRows,
        outputs: Callable[[EncodedRows], Array],
        losses: Callable[[Array, Array], Array],
        repeats: int,
        rng: np.random.Generator,
    ) -> None:
        self.rows, self._outputs, self._losses = rows, outputs, losses
        self.donors = draw_donors(len(rows), rows.member, repeats, rng)
        self.outputs = outputs(rows)
        self.losses = self._losses_of(self.outputs)

    @property
    def loss(self) -> float:
        """The weighted mean loss of the rows as they are."""
        return float(np.average(self.losses, weights=self.rows.weight))

    def growth(self, inputs: Array) -> Growth:
        """Return the growth of the loss when these inputs, by index (n,), are shuffled together.

        The variance of its mean is for other rows and, where each row is predicted by a member that has not seen it,
        for other trainings; see `mean_of`. It includes that of the draws.
        """
        y_hats, X = [], self.rows.X.copy()
        for givers in self.donors:
            X[:, inputs] = self.rows.X[np.ix_(givers, inputs)]
            y_hats.append(self._outputs(_with_inputs(self.rows, X)))
        grown = np.stack([self._losses_of(y_hat) - self.losses for y_hat in y_hats])
        return Growth(self._mean(grown), np.stack(y_hats))

    def _losses_of(self, y_hat: Array) -> Array:
        return self._losses(y_hat, self.rows.y).astype(np.float64)

    def _mean(self, grown: Array) -> Mean:
        """Return the mean of the growths (repeats, rows), with the variance that both parts of each row make."""
        rows, received = self.rows, grown.mean(axis=0)
        weight = np.ones(len(rows)) if rows.weight is None else rows.weight.astype(np.float64)
        member = np.zeros(len(rows), np.intp) if rows.member is None else rows.member
        centre = np.bincount(member, weight * received) / np.maximum(np.bincount(member, weight), 1e-300)
        given = np.zeros(len(rows))
        for givers, each in zip(self.donors, grown, strict=True):
            given[givers] += weight * (each - centre[member]) / len(grown)
        return mean_of(received + given / weight, rows.weight, rows.units, rows.member)


def draw_donors(n: int, member: Array | None, repeats: int, rng: np.random.Generator) -> Array:
    """Return for each repeat the row that each of n rows is given inputs of, (repeats, n): another one of its member.

    Each repeat is a permutation, and a row has another donor in each of them, as far as there are so many.
    """
    donors = np.empty((repeats, n), np.intp)
    for one in [None] if member is None else np.unique(member):
        order = rng.permutation(np.arange(n) if one is None else np.flatnonzero(member == one))
        shifts = rng.permutation(max(len(order) - 1, 1))[:repeats] + 1
        for givers, shift in zip(donors, np.resize(shifts, repeats).tolist(), strict=True):
            givers[order] = np.roll(order, -shift)
    return donors


def _with_inputs(rows: EncodedRows, X: Array) -> EncodedRows:
    return EncodedRows(X, rows.y, rows.truth, rows.weight, rows.member)
