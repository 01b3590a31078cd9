"""Which rows each step sees."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from nnfs_cli.parameters import Array
from nnfs_cli.streams import stream


@dataclass(frozen=True)
class Batches:
    """The rows of an epoch, a batch at a time: all once in a new order, or drawn with replacement.

    The order of an epoch depends on the seed and the epoch alone. A last batch of fewer rows than `smallest` joins the
    batch before it.
    """

    rows: int
    size: int
    shuffle: bool = True
    replacement: bool = False
    drop_last: bool = False
    seed: int = 0
    smallest: int = 1

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
        rng = stream(self.seed, "batches", epoch)
        order = rng.integers(self.rows, size=self.rows) if self.replacement else rng.permutation(self.rows)
        for start, end in itertools.pairwise(bounds):
            yield order[start:end]
