"""The rows of a data set that are audited: their cells, and what nets that have not seen them predict for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.data.table import Table, concatenate_tables
from nnfs_cli.errors import DataError
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.workflows.run_predictions import RunPredictions

MOST_COMPARED = 10_000


@dataclass(frozen=True, eq=False)
class AuditedRows:
    """All rows of a data set, and the predictions for those that nets have predicted without having seen them.

    `table` holds the cells of all rows. `number` (rows,) counts them from 1 in the table that they come from, without
    rows that training leaves out, and `split` (rows,) names the split of each. `judged` (judged,) are the places of the
    rows with predictions, `truth` and `answer` their targets and predictions as metrics see them.
    """

    predictor: Predictor
    table: Table
    number: Array
    split: Array
    judged: Array
    truth: Array
    answer: Array

    @classmethod
    def of(cls, found: RunPredictions) -> Self:
        """Collect the rows of all splits. Raises `DataError` if their cells are not in memory."""
        folded = found.predictor.config.holdout is not None
        tables, numbers, splits, judged = list[Table](), list[Array](), list[Array](), [np.empty(0, np.intp)]
        start = 0
        for split, rows in found.rows.items():
            cells = found.table(split, np.arange(len(rows)))
            if cells is None:
                raise DataError("an audit needs all rows in memory, and they need more than memory_limit")
            if folded and split == "validation":  # these are training rows
                judged.append(np.searchsorted(numbers[0], cells[1] + 1))
                continue
            if split != "train":
                judged.append(np.arange(start, start + len(rows)))
            tables.append(cells[0])
            numbers.append(cells[1] + 1)
            splits.append(np.full(len(rows), split, object))
            start += len(rows)
        predicted = [found.predicted(split) for split in found.held_out or ["train"]]
        return cls(
            found.predictor,
            concatenate_tables(tables),
            np.concatenate(numbers),
            np.concatenate(splits),
            np.concatenate(judged),
            np.concatenate([one.y for one in predicted])[: sum(map(len, judged))],
            np.concatenate([one.y_hat for one in predicted])[: sum(map(len, judged))],
        )

    def __len__(self) -> int:
        return len(self.number)

    @cached_property
    def several_splits(self) -> bool:
        """Whether the rows are of more than one split."""
        return len(set(self.split.tolist())) > 1

    @property
    def inputs(self) -> list[str]:
        """The names of the columns that the net learns from."""
        return [*self.predictor.encoder.kinds]

    @cached_property
    def compared(self) -> Array:
        """The places of the rows that are compared with each other: at most `MOST_COMPARED`, evenly spaced."""
        return evenly_spaced(len(self), MOST_COMPARED)

    def texts(self, name: str, rows: Array) -> list[str]:
        """Return the cells of a column in some rows, (n,), as the texts that a file would hold."""
        return [self.table.text_of(row, name) for row in rows.tolist()]
