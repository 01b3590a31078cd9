"""What all cells of a column say about how they are to be read, in memory that does not grow with the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.parsing.shapes import by_shape, runs, whole
from nnfs_cli.data.texts import StoredTexts, Texts

MOST = 5_000  # shapes that are kept; a column with more of them is free text
LONGEST = 18  # digits of a run that are read as a number


@dataclass
class ShapeFacts:
    """What the texts of one shape have in common.

    `low` and `high` (runs,) are the extremes of each run of digits. `sizes` (runs, 4) are the numbers of cells where
    the run is 0, from 1 to 12, from 13 to 31, and above 31: what may be a month, a day, or neither.
    """

    n_cells: int
    example: str
    low: Array
    high: Array
    sizes: Array

    def add(self, other: ShapeFacts) -> None:
        """Add the facts of more texts."""
        self.n_cells += other.n_cells
        self.sizes = self.sizes + other.sizes
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)


@dataclass
class Evidence:
    """The facts of each shape, by shape, and the number of cells of any shape; empty cells do not count."""

    shapes: dict[str, ShapeFacts] = field(default_factory=dict)
    n_cells: int = 0
    n_empty: int = 0

    @classmethod
    def of(cls, texts: Texts) -> Evidence:
        """Return what the cells of one column say."""
        evidence = cls()
        evidence.add(texts)
        return evidence

    def add(self, texts: Texts) -> None:
        """Add cells."""
        if isinstance(texts, StoredTexts):
            self.n_empty += texts.arrow.null_count
            self.add_distinct(texts.arrow, (~texts.gaps).astype(np.int64))
            return
        counts = np.bincount(texts.codes + 1, minlength=len(texts.distinct) + 1)
        self.n_empty += int(counts[0])
        present = np.flatnonzero(counts[1:])
        self.add_distinct(texts.distinct[present].tolist(), counts[1:][present])

    def add_distinct(self, texts: Any, counts: Array) -> None:
        """Add texts, each with its number of cells, (n,); see `by_shape`."""
        self.n_cells += int(counts.sum())
        for same in by_shape(texts):
            if same.shape not in self.shapes and len(self.shapes) >= MOST:
                continue
            fields = [same.digits[:, run.first : run.last][:, -LONGEST:] for run in runs(same.shape)]
            values = np.array([whole(digits) for digits in fields], np.int64).reshape(len(fields), len(same.rows))
            n = counts[same.rows]
            bins = np.digitize(values, (1, 13, 32))
            sizes = np.array([np.bincount(one, n, 4) for one in bins], np.int64).reshape(-1, 4)
            facts = ShapeFacts(int(n.sum()), same.texts[0], values.min(axis=1), values.max(axis=1), sizes)
            self._put(same.shape, facts)

    def add_facts(self, shape: str, facts: ShapeFacts) -> None:
        """Add cells of one shape by what they have in common."""
        self.n_cells += facts.n_cells
        self._put(shape, facts)

    def _put(self, shape: str, facts: ShapeFacts) -> None:
        if shape in self.shapes:
            self.shapes[shape].add(facts)
        else:
            self.shapes[shape] = facts

    def most_frequent(self) -> Mapping[str, ShapeFacts]:
        """Return the facts by shape, the most frequent shape first."""
        return dict(sorted(self.shapes.items(), key=lambda item: -item[1].n_cells))
