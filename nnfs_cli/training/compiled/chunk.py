"""The tables of a chunk: the batches of its steps, their numbers and their losses, which all members share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.training_rows import Batch, TrainingRows
from nnfs_cli.nn.model import Model
from nnfs_cli.training.compiled.passes import Rows

MOST_ROWS = 1 << 18  # of a chunk, so that its tables stay small
MOST_KNOWN = 100
MOST_STAGED = 1 << 12  # of a chunk of rows that are not in memory


class Kind(NamedTuple):
    """What decides which instructions a batch needs."""

    rows: int
    rows_of_step: int  # in all batches of the step
    first: bool  # of the step
    last: bool
    moves: bool  # whether the step changes the weights of the net; a step of rows of weight 0 does not


class Steps(NamedTuple):
    """The steps of a chunk: the program of each batch, and for each step the index of its last batch and its weight."""

    which: Array
    last: Array
    weights: Array


class Chunk:
    """The batches and numbers of some steps. Its arrays stay in place, since programs know their addresses.

    The steps have up to `capacity` batches in all, `accumulate` each. `numbers` is (capacity, columns), `losses` is
    (members, capacity), and `which` (capacity,) names the program of each batch. Rows that are not in memory are copied
    to a stage, batch by batch.
    """

    def __init__(
        self, model: Model, rows: TrainingRows, batches: int, largest: int, columns: int, accumulate: int
    ) -> None:
        self.staged, self._accumulate = rows.arrays is None, accumulate
        self._known: dict[tuple[int, int], Steps] = {}  # without weights every epoch has the same steps
        self.capacity = max(accumulate, min(batches, (MOST_STAGED if self.staged else MOST_ROWS) // largest))
        self.numbers: Array = np.zeros((self.capacity, columns))
        self.losses: Array = np.zeros((model.members, self.capacity))
        self.which: Array = np.zeros(self.capacity, np.int64)
        self._order: Array = np.zeros(self.capacity * largest, np.int64)
        self._starts: Array = np.zeros(self.capacity + 1, np.int64)
        self._source = rows
        X, y, weight = rows.arrays or _like(rows.take(slice(0, 1)), self.capacity * largest)
        X, y = (np.require(array, requirements=("C", "A")) for array in (X, y))  # as kernels read them
        self._stage = X, y, weight
        means = np.ones(0) if weight is None else weight.reshape(len(weight), -1).mean(axis=1, dtype=np.float64)
        self._weight_of_row: Array = np.asarray(means)
        # A member's weights lie side by side; those of rows on a stage are (rows,), the same for all members.
        weights = None if weight is None else np.require(weight.T, requirements=("C", "A"))
        self.rows = [
            Rows(X, y, weights if weights is None or weights.ndim == 1 else weights[j], self._order, self._starts)
            for j in range(model.members)
        ]

    def fill(self, order: Array, bounds: Array, program: Callable[[Kind], int]) -> Steps:
        """Take the batches of the next steps: batch b has the rows order[bounds[b] : bounds[b + 1]].

        `program` returns the number of the program for batches of a kind.
        """
        begin, end, k = int(bounds[0]), int(bounds[-1]), len(bounds) - 1
        rows, starts = order[begin:end], self._starts[: k + 1]
        np.subtract(bounds, begin, out=starts)
        if self.staged:
            self._order[: end - begin] = range(end - begin)
            for first, last in pairwise(starts.tolist()):
                for stage, found in zip(self._stage, self._source.take(rows[first:last]), strict=True):
                    if stage is not None:
                        stage[first:last] = found
        else:
            self._order[: end - begin] = rows
        steps = self._known.get((begin, k))
        if steps is None:
            edges = np.array([*range(0, k, self._accumulate), k])
            weights = self._weights(rows, starts[edges])
            which = np.array([program(kind) for kind in self._kinds(starts, edges, weights)])
            steps = Steps(which, edges[1:] - 1, weights)
            if self._stage[2] is None and len(self._known) < MOST_KNOWN:
                self._known[begin, k] = steps
        self.which[:k] = steps.which
        return steps

    def _kinds(self, starts: Array, edges: Array, weights: Array) -> list[Kind]:
        """Return the kind of each batch."""
        if self._accumulate == 1:
            sizes, moves = np.diff(starts).tolist(), (weights > 0).tolist()
            return [Kind(n, n, True, True, move) for n, move in zip(sizes, moves, strict=True)]
        kinds = []
        for (first, last), weight in zip(pairwise(edges.tolist()), weights.tolist(), strict=True):
            bounds = starts[first : last + 1].tolist()
            kinds += [
                Kind(end - start, bounds[-1] - bounds[0], start == bounds[0], end == bounds[-1], weight > 0)
                for start, end in pairwise(bounds)
            ]
        return kinds

    def _weights(self, rows: Array, starts: Array) -> Array:
        """Return the total weight of the rows of each step, which begin at `starts`."""
        weight = self._stage[2]
        if weight is None:
            return np.diff(starts).astype(np.float64)
        weights = weight[: starts[-1]].astype(np.float64) if self.staged else self._weight_of_row[rows]
        return np.add.reduceat(weights, starts[:-1])


def _like(rows: Batch, n: int) -> Batch:
    """Return room for n rows like some rows."""
    X, y, weight = rows
    room = [np.zeros((n, *one.shape[1:]), one.dtype) for one in (X, y, *([] if weight is None else [weight]))]
    return room[0], room[1], room[2] if len(room) > 2 else None
