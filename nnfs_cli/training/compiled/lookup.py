"""The twin of embeddings: learned vectors in place of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.kernel import Floats, Ints, kernel, real
from nnfs_cli.training.compiled.recorder import Recorder, twin

if TYPE_CHECKING:
    from nnfs_cli.nn.embedding import Embedding


@kernel
def copy_columns(lo: int, hi: int, y: Floats, x: Floats, places: Ints, n: int, n_inputs: int, n_outputs: int) -> None:
    """Copy n columns of x (rows, n_inputs) to the first of y (rows, n_outputs). The axis is rows."""
    for i in range(lo, hi):
        for j in range(n):
            y[i * n_outputs + j] = x[i * n_inputs + places[j]]


@kernel
def look_up(
    lo: int, hi: int, y: Floats, x: Floats, table: Floats,
    place: int, first: int, width: int, n_inputs: int, n_outputs: int, codes: int,
) -> None:  # fmt: skip
    """Write the vector of the code x[:, place] into the columns of y from `first`. The axis is rows.

    The table is (codes, width). A larger code counts as the last one, as in `Embedding`.
    """
    for i in range(lo, hi):
        code = x[i * n_inputs + place]
        at = i * n_outputs + first
        if code >= real(0):
            row = (int(code) if code < real(codes) else codes - 1) * width
            for j in range(width):
                y[at + j] = table[row + j]
        else:
            for j in range(width):
                y[at + j] = real(0)


@kernel
def look_up_back(
    lo: int, hi: int, dtable: Floats, dy: Floats, x: Floats,
    place: int, first: int, width: int, n_inputs: int, n_outputs: int, codes: int, rows: int,
) -> None:  # fmt: skip
    """Sum dy over the rows with each code. The axis is columns of the table (codes, width)."""
    for code in range(codes):
        for j in range(lo, hi):
            dtable[code * width + j] = real(0)
    for i in range(rows):
        code = x[i * n_inputs + place]
        at = i * n_outputs + first
        if code >= real(0):
            row = (int(code) if code < real(codes) else codes - 1) * width
            for j in range(lo, hi):
                dtable[row + j] += dy[at + j]


@twin("Embedding")
def _embedding(layer: Embedding, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    rows, n_inputs = x.shape
    coded = {table.place for table in layer.tables}
    others = np.array([place for place in range(n_inputs) if place not in coded], np.int64)
    n_outputs = len(others) + sum(table.width for table in layer.tables)
    y = recorder.empty((rows, n_outputs))
    recorder.record(copy_columns, rows, y, x, others, len(others), n_inputs, n_outputs, each=n_outputs)
    first, places = len(others), []
    for table, views in zip(layer.tables, p, strict=True):
        places.append((table.place, first, table.width, n_inputs, n_outputs, table.rows))
        recorder.record(look_up, rows, y, x, views.weight, *places[-1], each=table.width)
        first += table.width

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        for table, views, place in zip(layer.tables, g, places, strict=True):
            recorder.record(look_up_back, table.width, views.weight, dy, x, *place, rows, each=rows)
        return dy

    return y, backward
