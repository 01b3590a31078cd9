"""The rows that an explanation is made with: held-out rows of a run, or other rows with the target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table, concatenate_tables
from nnfs_cli.errors import DataError
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.random import random_stream
from nnfs_cli.workflows.evaluate import rows_with_weight
from nnfs_cli.workflows.run_predictions import RunPredictions

MOST_ROWS = 10_000
LEAST_ROWS = 1_000  # even if there are so many columns that it takes long
MOST_PREDICTED = 1_000_000  # rows that are predicted, of all columns and repeats together


@dataclass(frozen=True)
class ExplainedRows:
    """Encoded `rows`, in random order, with their cells in `table`: None if these are not in memory.

    They were drawn from `total` rows of a `split`, which is "input" for rows that are not those of the run.
    """

    rows: EncodedRows
    table: Table | None
    total: int
    split: str

    @property
    def out_of_fold(self) -> bool:
        """Whether each row is predicted by a member that has not seen it."""
        return self.rows.member is not None

    @classmethod
    def of_run(cls, found: RunPredictions, most: int) -> Self:
        """Return at most so many rows of the main split of a run, in random order."""
        split = found.main_split
        rng = random_stream(found.predictor.config.seed, "explained rows")
        places = rng.permutation(len(found.rows[split]))[:most]
        table = found.table(split, places)
        return cls(found.rows[split].take(places), None if table is None else table[0], len(found.rows[split]), split)

    @classmethod
    def of_tables(cls, predictor: Predictor, tables: Iterable[Table], most: int) -> Self:
        """Return at most so many of the rows of some blocks that have the target and a weight, in random order.

        Raises `DataError` if there are none.
        """
        rng, total, name = random_stream(predictor.config.seed, "explained rows"), 0, "the table"
        kept, keys = list[Table](), list[Array]()  # the rows with the smallest keys stay
        for block in tables:
            name, counting = block.name, rows_with_weight(block, predictor)
            if not counting.n_rows:
                continue
            total += counting.n_rows
            kept.append(counting)
            keys.append(rng.random(counting.n_rows))
            if sum(map(len, keys)) > 4 * most:
                kept, keys = _smallest(kept, keys, most)
        if not kept:
            raise DataError(f"{name} has no rows with a weight above 0")
        (table,), _ = _smallest(kept, keys, most)
        rows, group = predictor.encode(table).with_weight(), predictor.config.split.group
        if group is not None and group in table.columns:
            rows = replace(rows, group=table.texts(group).codes)
        return cls(rows, table, total, "input")


def most_rows(n_columns: int, repeats: int) -> int:
    """Return how many rows are explained at most: fewer for many columns."""
    return max(LEAST_ROWS, min(MOST_ROWS, MOST_PREDICTED // max(n_columns * repeats, 1)))


def _smallest(tables: list[Table], keys: list[Array], most: int) -> tuple[list[Table], list[Array]]:
    """Return the rows with the smallest keys, at most so many, as one table in the order of their keys."""
    joined = np.concatenate(keys)
    order = joined.argsort(kind="stable")[:most]
    return [concatenate_tables(tables).take(order)], [joined[order]]
