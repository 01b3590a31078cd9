"""Divide a prediction among the columns of the table: by how much each cell raised or lowered it.

The effects of a row are its Shapley values in the game in which cells that are not known are those of typical rows, the
background. They add up to the prediction minus the base value, the mean prediction of the background.

They are estimated by a few samples; see `coalitions`. Three things make few samples do:

- Over the rows of the background itself, exact effects have the mean 0. What an estimate has there instead is
  subtracted from the effects of every row. So what each column adds by itself is divided exactly, the base value is
  that of the whole background, and only interactions are sampled.
- An order of the columns is also gone backwards, which makes interactions of two columns exact for one typical row.
- Of many samples, those few are taken whose mean is nearest to the mean of all, on rows of the background.

Sources: Shapley, "A Value for n-Person Games" (1953); Lundberg and Lee, "A Unified Approach to Interpreting Model
Predictions" (2017); Janzing, Minorics and Blöbaum, "Feature Relevance Quantification in Explainable AI" (2020), for why
unknown cells are drawn from all rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import UserError
from nnfs_cli.explain.coalitions import Coalitions
from nnfs_cli.explain.explained_values import explained_values
from nnfs_cli.explain.inputs_by_column import inputs_by_column
from nnfs_cli.explain.mixed_rows import MixedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.threads import thread_limit

SAMPLES = 4
MOST_SAMPLES = 1_000
CANDIDATES = 64  # samples that the best ones are chosen from
MOST_MIXED = 200_000  # rows that are predicted to choose; with many columns there are fewer candidates
JUDGED = 32  # rows of the background that choose


class Effects(NamedTuple):
    """By how much each column raised or lowered the explained numbers of some rows.

    `values` (rows, columns, n) sum over the columns to `explained` - `base`, (rows, n) and (n,). See `explained_values`
    for what n stands for.
    """

    values: Array
    explained: Array
    base: Array

    def of_class(self, chosen: Array) -> Effects:
        """Return the effects on one of the n numbers of each row, (rows,): n is 1, and `base` is (rows, 1)."""
        at = chosen[:, None]
        values = np.take_along_axis(self.values, at[:, None], axis=2)
        return Effects(values, np.take_along_axis(self.explained, at, axis=1), self.base[chosen][:, None])


class Attributor:
    """Divide predictions of a net, or of its blend, among the `columns` of the table.

    `background` (rows, features) are inputs of the net for training rows. `samples` are fixed by the seed of the
    config, so a row has the same effects wherever it stands. Several threads may ask for effects at once. Raises
    `UserError` unless there are 1 to 1,000 samples.

    `inputs` are those of each column, by index. `orders` (samples, columns) and `typical` (samples, features) are the
    orders of the columns and the typical rows that were chosen, `shift` (columns, n) is what is subtracted from the
    estimates, and `base` (n,) the base value.
    """

    def __init__(self, predictor: Predictor, background: Array, samples: int = SAMPLES) -> None:
        if not 1 <= samples <= MOST_SAMPLES:
            raise UserError(f"explanations take 1 to {MOST_SAMPLES:,} samples, found {samples}")
        inputs = inputs_by_column(predictor)
        self.predictor, self.columns, self.inputs = predictor, tuple(inputs), [*inputs.values()]
        rng = random_stream(predictor.config.seed, "explain")
        n = max(min(CANDIDATES, MOST_MIXED // (2 * len(inputs) * JUDGED)), samples)
        orders = np.stack([rng.permutation(len(inputs)) for _ in range(n)])
        typical = background[np.resize(rng.permutation(len(background)), n)]
        with thread_limit(1):
            if samples < n and len(inputs) > 1:
                judged = background[:JUDGED]
                each = [self._sample(orders[k : k + 1], typical[k : k + 1])(judged)[0] for k in range(n)]
                chosen = nearest_to_mean(np.stack([one - one.mean(axis=0) for one in each]), samples)
            else:
                chosen = [*range(samples)]
            self.orders, self.typical = orders[chosen], typical[chosen]
            self._effects = self._sample(self.orders, self.typical)
            found, explained = self._effects(background)
        self.shift, self.base = found.mean(axis=0), explained.mean(axis=0)  # (columns, n), (n,)

    def effects(self, X: Array) -> Effects:
        """Return the effects for inputs of the net (rows, features)."""
        found, explained = self._effects(X)
        return Effects(found - self.shift, explained, self.base)

    def _sample(self, orders: Array, typical: Array) -> _Sample:
        return _Sample(self.predictor, self.inputs, orders, typical)


class _Sample:
    """Shapley values, apart from a constant of each column, by some orders and a typical row for each."""

    def __init__(self, predictor: Predictor, inputs: list[Array], orders: Array, typical: Array) -> None:
        self.predictor, self._coalitions = predictor, Coalitions.along_walks(orders)
        self._rows = MixedRows(predictor, inputs, self._coalitions, typical)

    def __call__(self, X: Array) -> tuple[Array, Array]:
        """Return the values (rows, columns, n) and the explained numbers (rows, n), for inputs (rows, features)."""
        step = self._rows.at_once
        pieces = [self._of_piece(X[start : start + step]) for start in range(0, max(len(X), 1), step)]
        return np.concatenate([values for values, _ in pieces]), np.concatenate([explained for _, explained in pieces])

    def _of_piece(self, X: Array) -> tuple[Array, Array]:
        y_hat = self._rows.outputs(X)
        flat = y_hat.reshape(-1, y_hat.shape[2])
        explained = explained_values(self.predictor, flat)
        explained = explained.reshape(*y_hat.shape[:2], explained.shape[1])
        return np.matmul(self._coalitions.shares, explained), explained[:, 0]


def nearest_to_mean(each: Array, n: int) -> list[int]:
    """Return n of some arrays (arrays, ...), by index, whose mean is nearest to the mean of all.

    They are chosen one after the other, then each is exchanged as long as that helps. So the mean may be a little away
    from the nearest one that there is.
    """
    each = each.reshape(len(each), -1)
    wanted, chosen, total = each.mean(axis=0), list[int](), np.zeros(each.shape[1])

    def best(total: Array, size: int, taken: list[int]) -> int:
        away = (((total + each) / size - wanted) ** 2).sum(axis=1)
        away[taken] = np.inf
        return int(away.argmin())

    for size in range(1, n + 1):
        chosen.append(best(total, size, chosen))
        total = total + each[chosen[-1]]
    for i in [*range(n)] * 3:
        others = chosen[:i] + chosen[i + 1 :]
        total = each[others].sum(axis=0)
        chosen[i] = best(total, n, others)
    return chosen
