"""Draw the batches of an epoch: the rows of each step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.training_rows import BLOCK_ROWS
from nnfs_cli.system.random import random_stream


@dataclass(frozen=True)
class Batches:
    """The batches of each epoch: all rows once in a random order, in order, or drawn with replacement.

    The order of an epoch depends only on the seed and the epoch. A last batch with fewer rows than `smallest` is added
    to the batch before it. With a `window`, that many rows at a time are shuffled, in blocks from all over the table,
    so that rows on disk are read a block at a time.
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
        """The number of batches of an epoch."""
        whole, rest = divmod(self.rows, self.size)
        return whole if self.drop_last else whole + (rest >= (self.smallest if whole else 1))

    @property
    def largest(self) -> int:
        """The most rows that a batch can have."""
        return min(self.rows, self.size + self.smallest - 1)

    @property
    def bounds(self) -> list[int]:
        """Where each batch begins in the order of an epoch, and where the last one ends."""
        starts = range(0, self.steps * self.size, self.size)
        return [*starts, starts.stop if self.drop_last else self.rows]

    @property
    def permutes(self) -> bool:
        """Whether an epoch is a permutation of all rows, by the stream "batches" of its seed and the epoch."""
        return self.shuffle and not self.replacement and not self.window

    def epoch(self, epoch: int) -> Iterator[Array | slice]:
        """Yield the rows of each batch of an epoch (from 1): indices (batch,), or slices in the order of the table."""
        bounds = self.bounds
        if not self.shuffle and not self.replacement:
            yield from itertools.starmap(slice, itertools.pairwise(bounds))
            return
        rng = random_stream(self.seed, "batches", epoch)
        if self.window:
            yield from self._in_windows(rng, bounds)
            return
        order = self._drawn(rng)
        for start, end in itertools.pairwise(bounds):
            yield order[start:end]

    def order(self, epoch: int) -> Array:
        """Return the rows of all batches of an epoch (from 1) one after another; `bounds` says where each begins."""
        if not self.shuffle and not self.replacement:
            return np.arange(self.rows)
        rng = random_stream(self.seed, "batches", epoch)
        return np.concatenate([*self._in_windows(rng, self.bounds)]) if self.window else self._drawn(rng)

    def _drawn(self, rng: np.random.Generator) -> Array:
        return rng.integers(self.rows, size=self.rows) if self.replacement else rng.permutation(self.rows)

    def _in_windows(self, rng: np.random.Generator, bounds: list[int]) -> Iterator[Array]:
        blocks = rng.permutation(-(-self.rows // BLOCK_ROWS))
        at_once = max(1, (self.window or 0) // BLOCK_ROWS)
        waiting = np.empty(0, np.intp)
        windows = iter(range(0, len(blocks), at_once))
        for start, end in itertools.pairwise(bounds):
            while len(waiting) < end - start:
                first = next(windows)
                rows = (blocks[first : first + at_once, None] * BLOCK_ROWS + np.arange(BLOCK_ROWS)).ravel()
                waiting = np.concatenate([waiting, rng.permutation(rows[rows < self.rows])])
            yield waiting[: end - start]
            waiting = waiting[end - start :]
