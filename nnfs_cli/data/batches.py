"""Which rows each step sees."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.training_rows import BLOCK
from nnfs_cli.system.random import random_stream


@dataclass(frozen=True)
class Batches:
    """The rows of an epoch, a batch at a time: all once in a new order, or drawn with replacement.

    The order of an epoch depends on the seed and the epoch alone. A last batch of fewer rows than `smallest` joins the
    batch before it. With a `window`, rows are shuffled within so many, of blocks from all over the table: what is on a
    disk is then read a block at a time.
    """

    rows: int
    size: int
    shuffle: bool = True
    replacement: bool = False
    drop_last: bool = False
    seed: int = 0
    smallest: int = 1
    window: int | None = None

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""
        whole, rest = divmod(self.rows, self.size)
        return whole if self.drop_last else whole + (rest >= (self.smallest if whole else 1))

    def epoch(self, epoch: int) -> Iterator[Array | slice]:
        """The rows of each batch of an epoch (from 1): indices (batch,), or a slice where the order is the table's."""
        starts = range(0, self.steps * self.size, self.size)
        bounds = [*starts, starts.stop if self.drop_last else self.rows]
        if not self.shuffle and not self.replacement:
            yield from itertools.starmap(slice, itertools.pairwise(bounds))
            return
        rng = random_stream(self.seed, "batches", epoch)
        if self.window:
            yield from self._in_windows(rng, bounds)
            return
        order = rng.integers(self.rows, size=self.rows) if self.replacement else rng.permutation(self.rows)
        for start, end in itertools.pairwise(bounds):
            yield order[start:end]

    def _in_windows(self, rng: np.random.Generator, bounds: list[int]) -> Iterator[Array]:
        blocks = rng.permutation(-(-self.rows // BLOCK))
        at_once = max(1, (self.window or 0) // BLOCK)
        waiting = np.empty(0, np.intp)
        windows = iter(range(0, len(blocks), at_once))
        for start, end in itertools.pairwise(bounds):
            while len(waiting) < end - start:
                first = next(windows)
                rows = (blocks[first : first + at_once, None] * BLOCK + np.arange(BLOCK)).ravel()
                waiting = np.concatenate([waiting, rng.permutation(rows[rows < self.rows])])
            yield waiting[: end - start]
            waiting = waiting[end - start :]
