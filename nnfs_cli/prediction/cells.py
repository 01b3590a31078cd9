"""The cells of a table as a pipeline reads them."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import local
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.inputs import DateInput, InputBlock, NumberInputs
from nnfs_cli.data.table import Table


def cells_of(encoder: Encoder, table: Table) -> dict[str, Array]:
    """Return the input columns of a table by name, each (rows,), as `pipeline.evaluate` takes them.

    Dates with an offset from UTC become local times, or in runs of edition 1 the time in UTC. Without a column of
    exposures, each is 1. Raises `DataError` for a missing column.
    """
    encoder.require_columns(table)
    cells = {name: _cells(table, name, block) for block in encoder.inputs for name in block.columns}
    if encoder.exposure is not None:
        known = table.has(encoder.exposure)
        cells[encoder.exposure] = table.numbers(encoder.exposure, gaps=True) if known else np.ones(table.n_rows)
    return cells


def _cells(table: Table, name: str, block: InputBlock) -> Array:
    if isinstance(block, NumberInputs):
        return table.numbers(name, gaps=True)
    if isinstance(block, DateInput):
        return (local(table.zoned_dates(name)) if block.zoned else table.dates(name)).astype("int64")
    texts = table.texts(name)
    cells = np.empty(len(texts), object)
    cells[:] = texts.tolist()
    return cells
