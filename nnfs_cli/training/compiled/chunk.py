"""The tables of a chunk: the batches of its steps, their numbers and their losses, which all members share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.training_rows import Batch, TrainingRows
from nnfs_cli.nn.model import Model
from nnfs_cli.training.compiled.passes import Rows

MOST_ROWS = 1 << 18  # of a chunk, so that its tables stay small
MOST_STAGED = 1 << 12  # of a chunk of rows that are not in memory


class Chunk:
    """The batches and numbers of up to `capacity` steps. Its arrays stay in place, since programs know their addresses.

    `numbers` is (capacity, columns), `losses` is (members, capacity), and `which` (capacity,) names the program of each
    step. Rows that are not in memory are copied to a stage, step by step.
    """

    def __init__(self, model: Model, rows: TrainingRows, steps: int, largest: int, columns: int) -> None:
        self.staged = rows.arrays is None
        self.capacity = max(1, min(steps, (MOST_STAGED if self.staged else MOST_ROWS) // largest))
        self.numbers: Array = np.zeros((self.capacity, columns))
        self.losses: Array = np.zeros((model.members, self.capacity))
        self.which: Array = np.zeros(self.capacity, np.int64)
        self._order: Array = np.zeros(self.capacity * largest, np.int64)
        self._starts: Array = np.zeros(self.capacity + 1, np.int64)
        self._source = rows
        X, y, weight = self._stage = rows.arrays or _like(rows.take(slice(0, 1)), self.capacity * largest)
        means = np.ones(0) if weight is None else weight.reshape(len(weight), -1).mean(axis=1, dtype=np.float64)
        self._weight_of_row: Array = np.asarray(means)
        # A member's weights lie side by side; those of rows on a stage are (rows,), the same for all members.
        weights = None if weight is None else np.ascontiguousarray(weight.T) if weight.ndim > 1 else weight
        self.rows = [
            Rows(X, y, weights if weights is None or weights.ndim == 1 else weights[j], self._order, self._starts)
            for j in range(model.members)
        ]

    def fill(self, batches: Sequence[Array | slice]) -> tuple[list[int], list[float]]:
        """Take the batches of the next steps, and return the number of rows and the weight of each."""
        end, sizes, weights = 0, [], []
        for s, batch in enumerate(batches):
            n = batch.stop - batch.start if isinstance(batch, slice) else len(batch)
            place = slice(end, end + n)
            if self.staged:
                for stage, found in zip(self._stage, self._source.take(batch), strict=True):
                    if stage is not None:
                        stage[place] = found
                self._order[place] = range(place.start, place.stop)
            else:
                self._order[place] = range(batch.start, batch.stop) if isinstance(batch, slice) else batch
            end += n
            self._starts[s + 1] = end
            sizes.append(n)
            weights.append(self._weight(place, n))
        return sizes, weights

    def _weight(self, place: slice, n: int) -> float:
        """Return the total weight of a batch."""
        weight = self._stage[2]
        if weight is None:
            return float(n)
        if self.staged:
            return float(weight[place].sum(dtype=np.float64))
        return float(self._weight_of_row[self._order[place]].sum())


def _like(rows: Batch, n: int) -> Batch:
    """Return room for n rows like some rows."""
    X, y, weight = rows
    room = [np.zeros((n, *one.shape[1:]), one.dtype) for one in (X, y, *([] if weight is None else [weight]))]
    return room[0], room[1], room[2] if len(room) > 2 else None
