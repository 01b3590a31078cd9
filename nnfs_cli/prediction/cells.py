"""The cells of a table as a pipeline reads them."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import local
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.table import Table


def cells_of(encoder: Encoder, table: Table) -> dict[str, Array]:
    """Return the input columns of a table by name, each (rows,), as `pipeline.evaluate` takes them.

    Dates with an offset from UTC become local times. Raises `DataError` for a missing column.
    """
    encoder.require_columns(table)
    return {name: _cells(table, name, kind) for name, kind in encoder.kinds.items()}


def _cells(table: Table, name: str, kind: str) -> Array:
    if kind == "number":
        return table.numbers(name, gaps=True)
    if kind == "date":
        return local(table.zoned_dates(name)).astype("int64")
    texts = table.texts(name)
    cells = np.empty(len(texts), object)
    cells[:] = texts.tolist()
    return cells
