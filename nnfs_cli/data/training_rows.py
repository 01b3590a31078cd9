"""What a net is trained on: inputs, targets and weights, row by row, in memory or on disk."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.system.files import unnamed_file, write_all

# X (batch, *input_shape), y (batch, n_outputs) and, if there are any, weights: (batch,), or (batch, members).
Batch = tuple[Array, Array, Array | None]

BLOCK = 1_024  # neighbouring rows that are read from the disk together


class TrainingRows(Protocol):
    """Rows that can be had a batch at a time."""

    @property
    def mean_weight(self) -> float:
        """What a row counts on average."""

    def __len__(self) -> int:
        """How many there are."""

    def take(self, rows: Array | slice) -> Batch:
        """Those of a batch, good until the next one is taken."""

    def check(self, input_shape: Shape, output_shape: Shape, dtype: Any, members: int = 0) -> None:
        """Raise `ValueError` unless the rows are what a net takes."""


class RowsInMemory:
    """Rows in memory. Those of a batch are copied into buffers that are shared by all batches of a size.

    `weight` is how much each counts, (rows,); or for each of several members by itself, (rows, members).
    """

    def __init__(self, X: Array, y: Array, weight: Array | None = None) -> None:
        self._arrays = [X, y] if weight is None else [X, y, weight]
        self.mean_weight = 1.0 if weight is None else float(weight.mean(dtype=np.float64))
        self._buffers: dict[int, list[Array]] = {}

    def __len__(self) -> int:
        return len(self._arrays[0])

    def check(self, input_shape: Shape, output_shape: Shape, dtype: Any, members: int = 0) -> None:
        """Raise `ValueError` unless the arrays are what a net takes."""
        n_rows = len(self)
        shapes = {
            "X": input_shape,
            "y": output_shape,
            "weight": (members,) if members and self._arrays[-1].ndim > 1 else (),
        }
        for array, (name, shape) in zip(self._arrays, shapes.items(), strict=False):
            if array.shape != (n_rows, *shape) or array.dtype != dtype:
                expected = f"{dtype} {(n_rows, *shape)}"
                raise ValueError(f"{name} should be {expected}, found {array.dtype} {array.shape}")

    def take(self, rows: Array | slice) -> Batch:
        """X, y and the weights of a batch: indices (batch,) or a slice."""
        if isinstance(rows, slice):
            x, y, *weight = [array[rows] for array in self._arrays]
            return x, y, weight[0] if weight else None
        n = len(rows)
        if n not in self._buffers:
            self._buffers[n] = [np.empty((n, *array.shape[1:]), array.dtype) for array in self._arrays]
        for array, buffer in zip(self._arrays, self._buffers[n], strict=True):
            array.take(rows, 0, buffer, "clip")  # "clip" lets take write straight into it; the indices are in range
        x, y, *weight = self._buffers[n]
        return x, y, weight[0] if weight else None


class RowsOnDisk:
    """Rows in a file without a name; only `window` rows are in memory.

    Batches are quick where those that follow one another share their blocks of rows, as `Batches` with a window makes
    them.
    """

    def __init__(self, n_inputs: int, n_outputs: int, weighted: bool, dtype: Any, window: int) -> None:
        self._widths = (n_inputs, n_outputs, int(weighted))
        self._file = unnamed_file(self)
        self._n, self._weight = 0, 0.0
        self._window: Array = np.empty((-(-window // BLOCK) * BLOCK, sum(self._widths)), dtype)
        self._buffers: dict[int, list[Array]] = {}
        self._slots: Array = np.empty(0, np.intp)  # where in the window each block is; -1 where it is not

    def __len__(self) -> int:
        return self._n

    @property
    def mean_weight(self) -> float:
        """What a row counts on average."""
        return self._weight / self._n if self._widths[2] else 1.0

    def append(self, X: Array, y: Array, weight: Array | None) -> None:
        """More rows, behind those that there are."""
        if not len(X):
            return
        columns = [X, y, (np.ones(len(X), X.dtype) if weight is None else weight)[:, None]]
        rows = np.concatenate([column for column, width in zip(columns, self._widths, strict=True) if width], axis=1)
        write_all(self._file, np.ascontiguousarray(rows, self._window.dtype).data)
        self._n += len(X)
        self._weight += float(columns[2].sum(dtype=np.float64))
        self._slots = np.full(-(-self._n // BLOCK), -1)

    def check(self, input_shape: Shape, output_shape: Shape, dtype: Any, members: int = 0) -> None:
        """Raise `ValueError` unless the rows are what a net takes."""
        if (input_shape, output_shape, dtype) != ((self._widths[0],), (self._widths[1],), self._window.dtype):
            raise ValueError(f"the stored rows {self._widths} are not what the net takes")

    def take(self, rows: Array | slice) -> Batch:
        """X, y and the weights of a batch: indices (batch,) or a slice, of no more rows than the window has."""
        indices = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else rows
        rows, blocks, places, *columns = self._buffers_for(len(indices))
        np.floor_divide(indices, BLOCK, out=blocks)
        if self._slots.take(blocks, 0, places, "clip").min(initial=0) < 0:
            self._load(np.unique(blocks))
            self._slots.take(blocks, 0, places, "clip")
        np.subtract(places, blocks, out=places)  # a row is as many blocks further on in the window
        np.add(np.multiply(places, BLOCK, out=places), indices, out=places)
        self._window.take(places, 0, rows, "clip")
        start = 0
        for column in columns:  # each by itself, as BLAS rounds by how numbers lie
            np.copyto(column, rows[:, start : start + column.shape[1]])
            start += column.shape[1]
        x, y, *weight = columns
        return x, y, weight[0][:, 0] if weight else None

    def _buffers_for(self, n: int) -> list[Array]:
        """For a batch of n rows: whole rows, their blocks and places, inputs, targets and weights, if there are any."""
        if n not in self._buffers:
            whole, *columns = (
                np.empty((n, width), self._window.dtype) for width in (sum(self._widths), *filter(None, self._widths))
            )
            self._buffers[n] = [whole, np.empty(n, np.intp), np.empty(n, np.intp), *columns]
        return self._buffers[n]

    def _load(self, blocks: Array) -> None:
        """Have these blocks in the window; others are forgotten when there is no room."""
        wanted = blocks[self._slots[blocks] < 0]
        capacity = len(self._window) // BLOCK
        if (self._slots >= 0).sum() + len(wanted) > capacity:
            self._slots[:] = -1
            wanted = blocks
        if len(wanted) > capacity:
            raise ValueError(f"a batch is spread over {len(wanted)} blocks of rows, and {capacity} are in memory")
        free = np.setdiff1d(np.arange(capacity), self._slots[self._slots >= 0])
        size = BLOCK * self._window.shape[1] * self._window.itemsize
        for block, slot in zip(wanted.tolist(), free.tolist(), strict=False):
            into = memoryview(self._window[slot * BLOCK : (slot + 1) * BLOCK].data).cast("B")
            self._file.seek(block * size)
            read = 0
            while n := self._file.readinto(into[read:]):
                read += n
            self._slots[block] = slot
