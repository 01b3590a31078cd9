"""The rows that a net is trained on, in memory or on disk: inputs, targets and weights."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from nnfs_cli.arrays import Array, Shape, member_axes
from nnfs_cli.system.files import unnamed_file, write_all

# X (batch, *input_shape), y (batch, n_outputs), and the weights: (batch,), (batch, members), or None.
Batch = tuple[Array, Array, Array | None]

BLOCK_ROWS = 1_024  # consecutive rows that are read from disk together


class TrainingRows(Protocol):
    """Rows that the training loop draws batches from."""

    @property
    def mean_weight(self) -> float:
        """The mean weight of a row; 1 without weights."""

    @property
    def arrays(self) -> Batch | None:
        """All rows, if they are in memory."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def take(self, rows: Array | slice) -> Batch:
        """Return the batch with these rows: indices (batch,) or a slice. It is valid until the next call."""

    def check(self, input_shape: Shape, output_shape: Shape, dtype: Any, members: int = 1) -> None:
        """Raise `ValueError` unless the shapes and the dtype fit a net; `members` is 1 for a single net."""


class RowsInMemory:
    """Rows in memory: X (rows, *input_shape), y (rows, n_outputs) and weights, if there are any.

    `weight` is (rows,), or (rows, members) if each member weights the rows by itself; its mean is computed unless
    given. The rows of a batch are copied into buffers, which all batches of the same size share.
    """

    def __init__(self, X: Array, y: Array, weight: Array | None = None, mean_weight: float | None = None) -> None:
        self._arrays = [X, y] if weight is None else [X, y, weight]
        self.mean_weight = mean_weight or (1.0 if weight is None else float(weight.mean(dtype=np.float64)))
        self._buffers: dict[int, list[Array]] = {}

    @property
    def arrays(self) -> Batch:
        """All rows."""
        X, y, *weight = self._arrays
        return X, y, weight[0] if weight else None

    def __len__(self) -> int:
        return len(self._arrays[0])

    def check(self, input_shape: Shape, output_shape: Shape, dtype: Any, members: int = 1) -> None:
        """Raise `ValueError` unless the arrays have the shapes and the dtype that a net expects."""
        n_rows = len(self)
        shapes = {
            "X": input_shape,
            "y": output_shape,
            "weight": member_axes(members) if self._arrays[-1].ndim > 1 else (),
        }
        for array, (name, shape) in zip(self._arrays, shapes.items(), strict=False):
            if array.shape != (n_rows, *shape) or array.dtype != dtype:
                expected = f"{dtype} {(n_rows, *shape)}"
                raise ValueError(f"{name} should be {expected}, found {array.dtype} {array.shape}")

    def take(self, rows: Array | slice) -> Batch:
        """Return X, y and the weights of a batch: indices (batch,) or a slice."""
        if isinstance(rows, slice):
            x, y, *weight = [array[rows] for array in self._arrays]
            return x, y, weight[0] if weight else None
        n = len(rows)
        if n not in self._buffers:
            self._buffers[n] = [np.empty((n, *array.shape[1:]), array.dtype) for array in self._arrays]
        for array, buffer in zip(self._arrays, self._buffers[n], strict=True):
            array.take(rows, 0, buffer, "clip")  # "clip" lets take write without a copy; all indices are in range
        x, y, *weight = self._buffers[n]
        return x, y, weight[0] if weight else None


class RowsOnDisk:
    """Rows in an unnamed temporary file, of which only `window` rows are in memory.

    Batches are fast if consecutive ones use the same blocks of rows, as `Batches` with a window draws them.
    """

    def __init__(self, n_inputs: int, n_outputs: int, weighted: bool, dtype: Any, window: int) -> None:
        self._widths = (n_inputs, n_outputs, int(weighted))
        self._file = unnamed_file(self)
        self._n, self._weight = 0, 0.0
        self._window: Array = np.empty((-(-window // BLOCK_ROWS) * BLOCK_ROWS, sum(self._widths)), dtype)
        self._buffers: dict[int, list[Array]] = {}
        self._slots: Array = np.empty(0, np.intp)  # the slot in the window of each block; -1 if it is not loaded

    def __len__(self) -> int:
        return self._n

    @property
    def mean_weight(self) -> float:
        """The mean weight of a row; 1 without weights."""
        return self._weight / self._n if self._widths[2] else 1.0

    @property
    def arrays(self) -> None:
        """None, since the rows are not in memory."""

    def append(self, X: Array, y: Array, weight: Array | None) -> None:
        """Add rows at the end: X (n, n_inputs), y (n, n_outputs) and weights (n,)."""
        if not len(X):
            return
        columns = [X, y, (np.ones(len(X), X.dtype) if weight is None else weight)[:, None]]
        rows = np.concatenate([column for column, width in zip(columns, self._widths, strict=True) if width], axis=1)
        write_all(self._file, np.ascontiguousarray(rows, self._window.dtype).data)
        self._n += len(X)
        self._weight += float(columns[2].sum(dtype=np.float64))
        self._slots = np.full(-(-self._n // BLOCK_ROWS), -1)

    def check(self, input_shape: Shape, output_shape: Shape, dtype: Any, members: int = 1) -> None:
        """Raise `ValueError` unless the rows have the shapes and the dtype that a net expects."""
        if (input_shape, output_shape, dtype) != ((self._widths[0],), (self._widths[1],), self._window.dtype):
            raise ValueError(f"the stored rows {self._widths} do not fit the net")

    def take(self, rows: Array | slice) -> Batch:
        """Return X, y and the weights of a batch: indices (batch,) or a slice, of at most `window` rows.

        Raises `ValueError` if the rows lie in more blocks than the window holds.
        """
        indices = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else rows
        rows, blocks, places, *columns = self._buffers_for(len(indices))
        np.floor_divide(indices, BLOCK_ROWS, out=blocks)
        if self._slots.take(blocks, 0, places, "clip").min(initial=0) < 0:
            self._load(np.unique(blocks))
            self._slots.take(blocks, 0, places, "clip")
        np.subtract(places, blocks, out=places)  # the distance in blocks between the window and the file
        np.add(np.multiply(places, BLOCK_ROWS, out=places), indices, out=places)
        self._window.take(places, 0, rows, "clip")
        start = 0
        for column in columns:  # each contiguous, since rounding in BLAS depends on the strides
            np.copyto(column, rows[:, start : start + column.shape[1]])
            start += column.shape[1]
        x, y, *weight = columns
        return x, y, weight[0][:, 0] if weight else None

    def _buffers_for(self, n: int) -> list[Array]:
        """Return the buffers of a batch of n rows: whole rows, blocks, places, inputs, targets, and weights if any."""
        if n not in self._buffers:
            whole, *columns = (
                np.empty((n, width), self._window.dtype) for width in (sum(self._widths), *filter(None, self._widths))
            )
            self._buffers[n] = [whole, np.empty(n, np.intp), np.empty(n, np.intp), *columns]
        return self._buffers[n]

    def _load(self, blocks: Array) -> None:
        """Load these blocks into the window. If there is no room, drop all others first."""
        wanted = blocks[self._slots[blocks] < 0]
        capacity = len(self._window) // BLOCK_ROWS
        if (self._slots >= 0).sum() + len(wanted) > capacity:
            self._slots[:] = -1
            wanted = blocks
        if len(wanted) > capacity:
            raise ValueError(f"a batch needs {len(wanted)} blocks of rows, but only {capacity} fit in memory")
        free = np.setdiff1d(np.arange(capacity), self._slots[self._slots >= 0])
        size = BLOCK_ROWS * self._window.shape[1] * self._window.itemsize
        for block, slot in zip(wanted.tolist(), free.tolist(), strict=False):
            into = memoryview(self._window[slot * BLOCK_ROWS : (slot + 1) * BLOCK_ROWS].data).cast("B")
            self._file.seek(block * size)
            read = 0
            while n := self._file.readinto(into[read:]):
                read += n
            self._slots[block] = slot
