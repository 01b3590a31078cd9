"""The context of a pass through the layers: buffers, random numbers, and the products that layers are made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array, Shape, member_axes
from nnfs_cli.nn import kernels

# A function that returns the random generator of one pass, or one for each member, in the same state at every call.
Draws = Callable[[], np.random.Generator | Sequence[np.random.Generator]]

Buffer = tuple[Array, Shape, Any]  # an array with the shape and the dtype that were asked for


class Context:
    """Buffers, random numbers and products for a pass through the layers, in training or in prediction.

    Buffers are handed out in the order of the requests and are all reused when the next pass begins, so in the steady
    state layers allocate nothing. Copy an array that must outlive the pass.

    `axes` is the number of axes before those of a row: the batch and, in an ensemble, the members before it.
    """

    def __init__(self, dtype: np.dtype[Any] | type | str, *, training: bool = False, members: int = 1) -> None:
        self.dtype = np.dtype(dtype)
        self.training = training
        self.axes = len(member_axes(members)) + 1
        self._draws: Draws | None = None
        self._rngs: Sequence[np.random.Generator] = ()
        self._shelves: dict[int, list[Buffer]] = {}  # the buffers of each size of batch, in the order of the requests
        self._shelf: list[Buffer] = []
        self._next = 0
        self._ones: dict[int, Array] = {}
        self._zeros: dict[Shape, Array] = {}
        self._largest_zeros: Array = np.zeros(0, dtype)
        self._indices: dict[int, Array] = {}

    def begin(self, batch: int, draws: Draws | None = None) -> None:
        """Begin a pass with a batch of this many rows: reuse all buffers, and take random numbers from `draws`."""
        self._shelf = self._shelves.setdefault(batch, [])
        self._next = 0
        self._draws, self._rngs = draws, ()

    def release(self) -> None:
        """Free all buffers, and forget where random numbers come from."""
        self._shelves.clear()
        self._shelf, self._draws, self._rngs = [], None, ()

    # Random numbers

    @property
    def rng(self) -> np.random.Generator:
        """The random generator of this pass; in an ensemble, that of its first member."""
        return self._generators()[0]

    def random(self, shape: Shape) -> Array:
        """Return a buffer of uniform numbers from 0 to 1; each member of an ensemble draws its own."""
        buffer, rngs = self.empty(shape), self._generators()
        for numbers, rng in zip(buffer if self.axes > 1 else [buffer], rngs, strict=True):
            rng.random(out=numbers, dtype=self.dtype.type)
        return buffer

    def _generators(self) -> Sequence[np.random.Generator]:
        if not self._rngs:  # they are made when a layer first asks
            if self._draws is None:
                raise ValueError(
                    "this net draws random numbers in training; pass `draws`, a function that returns a generator"
                )
            made = self._draws()
            self._rngs = (made,) if isinstance(made, np.random.Generator) else made
        return self._rngs

    # Buffers and constants

    def empty(self, shape: Shape, dtype: Any = None) -> Array:
        """Return a buffer of this shape with arbitrary content, of the net's dtype unless another is given."""
        at = self._next
        self._next = at + 1
        if at < len(self._shelf):
            buffer, its_shape, its_dtype = self._shelf[at]
            if its_shape == shape and its_dtype is dtype:
                return buffer
            del self._shelf[at:]
        buffer = self._new_buffer(at, shape, dtype)
        self._shelf.append((buffer, shape, dtype))
        return buffer

    def _new_buffer(self, at: int, shape: Shape, dtype: Any) -> Array:
        """Return a new buffer; for a smaller batch, a slice of the buffer that the largest batch has in this place."""
        largest = self._shelves[max(self._shelves)] if self._shelves else []
        if shape and at < len(largest):
            buffer, its_shape, its_dtype = largest[at]
            if its_dtype is dtype and its_shape[1:] == shape[1:] and its_shape[:1] > shape[:1]:
                return buffer[: shape[0]]
        return np.empty(shape, self.dtype if dtype is None else dtype)

    def ones(self, n: int) -> Array:
        """Return a vector (n,) of ones. Do not write to it.

        Summing by a product with ones is faster than a reduction.
        """
        if n not in self._ones:
            self._ones[n] = np.ones(n, self.dtype)
        return self._ones[n]

    def zeros(self, shape: Shape) -> Array:
        """Return zeros of this shape. Do not write to them.

        NumPy compares two arrays several times as fast as an array and the number 0.
        """
        if shape not in self._zeros:
            n = math.prod(shape)
            if n > self._largest_zeros.size:  # the zeros of all shapes are views of the largest
                self._largest_zeros = np.zeros(n, self.dtype)
                self._zeros.clear()
            self._zeros[shape] = self._largest_zeros[:n].reshape(shape)
        return self._zeros[shape]

    def indices(self, n: int) -> Array:
        """Return the indices 0, 1, ... n - 1 as a vector (n,). Do not write to it."""
        if n not in self._indices:
            self._indices[n] = np.arange(n)
        return self._indices[n]

    # Products and sums over the last axes

    def as_rows(self, x: Array) -> Array:
        """Return x (members?, batch, ..., n) as rows (members?, n_rows, n), one for each entry of the axes before n."""
        return x if x.ndim <= self.axes + 1 else x.reshape(*x.shape[: self.axes - 1], -1, x.shape[-1])

    def matmul(self, x: Array, weight: Array) -> Array:
        """Return x @ weight in a buffer, (members?, batch, ..., m).

        Shapes: x (members?, batch, ..., n), weight (members?, n, m).
        """
        if x.ndim > self.axes + 1:
            return self.matmul(self.as_rows(x), weight).reshape(*x.shape[:-1], weight.shape[-1])
        return kernels.matmul(x, weight, self.empty((*x.shape[:-1], weight.shape[-1])))

    def sum_outer(self, x: Array, dy: Array, out: Array) -> Array:
        """Write xᵀ dy, the outer products of rows summed over the batch, into `out` (members?, n, m)."""
        if x.ndim > self.axes + 1:
            x, dy = self.as_rows(x), self.as_rows(dy)
        return kernels.matmul(x.mT, dy, out)

    def sum_rows(self, dy: Array, out: Array) -> Array:
        """Write the sum over the batch of dy (members?, batch, ..., n) into `out` (members?, n)."""
        if dy.ndim > self.axes + 1:
            dy = self.as_rows(dy)
        return kernels.matmul(self.ones(dy.shape[-2]), dy, out)

    def add_bias(self, y: Array, bias: Array) -> None:
        """Add a vector (members?, n) to each row of y (members?, batch, ..., n), in place; y must be contiguous."""
        if y.ndim > self.axes + 1:
            y = self.as_rows(y)
        if kernels.tiles_pay(y):
            kernels.add_tiled(y, bias, self.empty((kernels.TILE, len(bias))))
        else:
            np.add(y, bias if bias.ndim == 1 else bias[..., None, :], out=y)
