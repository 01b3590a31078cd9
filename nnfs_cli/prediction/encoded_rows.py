"""Rows of a table as the net sees them, with their target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.folds import Folds

BY_ROW = ("weight", "member", "group", "time")  # what encoded rows may have, one for each row
BLOCKS = 20


@dataclass(frozen=True)
class EncodedRows:
    """Encoded rows of one split.

    `X` (rows, n_features) and `y` (rows, n_outputs) are inputs and targets of the net. `truth` is the target as
    metrics see it: class indices (rows,), or values (rows, n_targets) in their own units. `weight` (rows,) is None if
    all rows count alike. `member` (rows,) is the member that predicts each row; None if all members do together.
    `folds` are those of the training rows, one for each member, if members are scored out of fold.
    `group` (rows,) is the index of the group of each row, if the split keeps groups together; `time` (rows,) is larger
    for later rows, if the split is by time.
    """

    X: Array
    y: Array
    truth: Array
    weight: Array | None = None
    member: Array | None = None
    folds: Folds | None = None
    group: Array | None = None
    time: Array | None = None

    def __len__(self) -> int:
        return len(self.X)

    @property
    def arrays(self) -> tuple[Array, Array, Array | None]:
        """Inputs, targets and weights, for training."""
        return self.X, self.y, self.weight

    @cached_property
    def units(self) -> Array | None:
        """The index of the unit of each row, (rows,), if rows depend on each other: its group, or its block in time.

        A block holds a 20th of the rows, which follow each other in time; rows of one instant share a block. Between 10
        and 30 blocks are few enough to be nearly independent, and enough to see how much their means vary.
        Source: Schmeiser, "Batch Size Effects in the Analysis of Simulation Output" (1982).
        """
        if self.group is not None or self.time is None:
            return self.group
        _, instant, counts = np.unique(self.time, return_inverse=True, return_counts=True)
        return np.asarray((np.cumsum(counts) - counts)[instant] * BLOCKS // len(self))

    def take(self, rows: Array) -> EncodedRows:
        """Return some of the rows, without their folds."""
        some = {name: None if (each := getattr(self, name)) is None else each[rows] for name in BY_ROW}
        return EncodedRows(self.X[rows], self.y[rows], self.truth[rows], **some)

    @classmethod
    def concatenate(cls, blocks: Sequence[EncodedRows]) -> EncodedRows:
        """Return the rows of all blocks, in order."""
        whole = blocks[0].empty_like(sum(map(len, blocks)))
        start = 0
        for block in blocks:
            whole.put(slice(start, start + len(block)), block)
            start += len(block)
        return whole

    def empty_like(self, n: int) -> EncodedRows:
        """Return n rows of the same shapes and types, with arbitrary content."""
        X, y, truth = (np.empty((n, *array.shape[1:]), array.dtype) for array in (self.X, self.y, self.truth))
        return EncodedRows(X, y, truth, None if self.weight is None else np.empty(n, self.weight.dtype))

    def put(self, rows: slice, block: EncodedRows) -> None:
        """Overwrite some of the rows."""
        self.X[rows], self.y[rows], self.truth[rows] = block.X, block.y, block.truth
        if self.weight is not None:
            self.weight[rows] = block.weight

    def with_weight(self) -> EncodedRows:
        """Return the rows without those of weight 0, and without weights if all others are 1."""
        if self.weight is None:
            return self
        rows = self if self.weight.all() else self.take(np.flatnonzero(self.weight))
        return replace(rows, weight=None) if rows.weight is not None and (rows.weight == 1).all() else rows


def concatenate_predictions(
    blocks: Sequence[tuple[Array, Array, Array | None, Array | None]],
) -> tuple[Array, Array, Array | None, Array | None]:
    """Return truth, predictions, weights and groups of all blocks of rows, in order.

    Weights are 1 where only other blocks have them; groups are None unless every block has them.
    """
    if len(blocks) == 1:
        return blocks[0]
    truth, y_hat = (np.concatenate([block[i] for block in blocks if block[i] is not None]) for i in (0, 1))
    group = [block[3] for block in blocks if block[3] is not None]
    groups = np.concatenate(group) if len(group) == len(blocks) else None
    if all(weight is None for _, _, weight, _ in blocks):
        return truth, y_hat, None, groups
    weights = [np.ones(len(rows), y_hat.dtype) if weight is None else weight for rows, _, weight, _ in blocks]
    return truth, y_hat, np.concatenate(weights), groups
