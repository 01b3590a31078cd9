"""Held-out rows that a fitted encoder cannot take, such as those with a new category, are left out on request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.inputs import UnusableRows
from nnfs_cli.data.left_out import reason
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError
from nnfs_cli.experiment.read_data import LoadedData


def without_unusable(config: Config, encoder: Encoder, loaded: LoadedData) -> LoadedData:
    """Return the data without the rows that the encoder refuses, if the config skips faults.

    They are counted with the rows that were left out before.
    """
    if config.on_error != "skip" or loaded.left_out is None:
        return loaded
    rows, reasons, first = dict(loaded.rows), Counter[str](), ""
    for split in rows:
        if split == "train" and not config.forward:
            continue  # the encoder was fitted to these rows
        refused = np.zeros(len(rows[split]), bool)
        for block, indices, start in loaded.blocks(split):
            here = refused[start : start + len(indices)]
            for wrong, message in _refused(encoder, block.take(indices), here):
                here |= wrong
                reasons[reason(message)] += int(wrong.sum())
                first = first or message
        rows[split] = rows[split][~refused]
    return replace(loaded, rows=rows, left_out=loaded.left_out.with_more(reasons, first)) if reasons else loaded


def _refused(encoder: Encoder, table: Table, known: Array) -> Iterator[tuple[Array, str]]:
    """Yield for each input the rows (rows,) of a table that it refuses, and what is wrong with the first of them.

    Rows that are `known` (rows,) to be refused do not count again.
    """
    for block in encoder.inputs:
        marks = np.zeros(table.n_rows, bool)
        block.read(table, UnusableRows(marks), {})
        wrong = marks & ~known
        if wrong.any():
            try:
                block.read(table.take([int(np.argmax(wrong))]), UnusableRows(), {})
            except DataError as error:
                yield wrong, str(error)
