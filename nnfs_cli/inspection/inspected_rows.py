"""The rows of each split that are inspected: all of them, or a sample of a large table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.data.table import Table, concatenate_tables
from nnfs_cli.experiment.read_data import LoadedData

CELLS = 5_000_000  # cells of a table that are inspected, at most
FEWEST = 5_000  # rows that are inspected, however many columns there are


@dataclass(frozen=True)
class InspectedRows:
    """The rows of each split, or a sample of them: a table as read, and the indices of the split in it."""

    tables: Mapping[str, Table]
    rows: Mapping[str, Array]
    sampled: int | None  # number of rows in the sample; None if all rows are inspected

    @property
    def table(self) -> Table:
        """The table of the training rows, which often holds the other splits too."""
        return self.tables["train"]

    @classmethod
    def of(cls, loaded: LoadedData) -> InspectedRows:
        """Sample the rows of each table: evenly spaced, or the first ones of a table that is not in memory."""
        most = max(FEWEST, CELLS // max(len(loaded.kinds), 1))
        tables: dict[str, Table] = {}
        rows: dict[str, Array] = {}
        samples: dict[int, tuple[Table, Array]] = {}
        for split, reader in loaded.readers.items():
            if id(reader) not in samples:
                held = loaded.budget is None
                samples[id(reader)] = _sample(reader.survey, most) if held else _first(reader.blocks(), most)
            tables[split], kept = samples[id(reader)]
            places = np.minimum(np.searchsorted(kept, loaded.rows[split]), len(kept) - 1)
            rows[split] = places[kept[places] == loaded.rows[split]]
        whole = all(len(rows[split]) == len(loaded.rows[split]) for split in rows)
        return cls(tables, rows, None if whole else sum(map(len, rows.values())))

    def fewer(self, cells: int) -> Table:
        """Return `table`, or a sample of its rows with fewer cells."""
        return _sample(self.table, max(FEWEST, cells // max(len(self.table.columns), 1)))[0]

    def rows_of(self, split: str) -> Table:
        """Return the rows of one split."""
        return self.tables[split].take(self.rows[split])


def _sample(table: Table, most: int) -> tuple[Table, Array]:
    places = evenly_spaced(table.n_rows, most)
    return (table if len(places) == table.n_rows else table.take(places)), places


def _first(blocks: Iterator[Table], most: int) -> tuple[Table, Array]:
    tables, n_rows = [], 0
    for block in blocks:
        tables.append(block)
        n_rows += block.n_rows
        if n_rows >= most:
            break
    return concatenate_tables(tables), np.arange(n_rows)
