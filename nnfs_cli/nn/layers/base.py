"""What a layer is: its settings, the parameters it asks for, and a forward pass that returns its own backward pass.

A layer is its declaration and nothing else. Its arrays live in the flat vectors of `parameters.py`, and what a backward
pass has to remember stays in the closure that `forward` returns, so a layer keeps no state between batches.

Axes are ``(members?, batch, features...)``: mathematics is written for the last ones and lets leading axes broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.component import Component
from nnfs_cli.nn.parameters import ParameterTree, Views

# backward(dy, g, need_dx) writes the gradients of the layer's parameters into g, overwriting what was there, and
# returns the gradient of its input, or anything at all when need_dx is false: nobody asks for that of the data. It must
# not write into dy, which others may still have to read.
Backward = Callable[[Array, Views, bool], Array]

# Makes the random numbers of one pass, the same ones each time it is called; one for each member, if there are any.
Draws = Callable[[], np.random.Generator | Sequence[np.random.Generator]]


class Layer(Component, family="layer"):
    """A function of a batch, with parameters, that can be differentiated."""

    needs = ("forward",)
    # Where the outputs lie, when not all real numbers are possible: (0, 1) marks probabilities.
    output_range: ClassVar[tuple[float, float] | None] = None
    min_batch: ClassVar[int] = 1  # rows that a step of training needs at least
    learns_otherwise: ClassVar[bool] = False  # gives something else while it learns than afterwards
    passes_on: ClassVar[bool] = False  # the numbers themselves, perhaps in another shape

    @property
    def inner(self) -> tuple[Layer, ...]:
        """The layers inside this one, whatever its settings call them."""
        values = (value if isinstance(value, tuple) else (value,) for _, value in self)
        return tuple(item for value in values for item in value if isinstance(item, Layer))

    def walk(self) -> Iterator[Layer]:
        """The layer itself and all inside it, at any depth."""
        yield self
        for layer in self.inner:
            yield from layer.walk()

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Settle sizes: from the shape of one input row, the shape of one output row and the parameters needed.

        The only place where sizes are derived. Raises `ShapeError` when the layer cannot take such rows.
        """
        return input_shape, {}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """Return the output for the batch `x` and the function that takes its gradient back."""
        raise NotImplementedError

    @property
    def final(self) -> Layer:
        """The layer that the output comes from: this one, or the last of those inside it."""
        return self

    def with_final(self, layer: Layer) -> Layer:
        """The same with another final layer in the same place, so that the names of parameters stay."""
        return layer

    @property
    def bounding(self) -> Layer:
        """The layer that bounds the outputs: the final one, or the one before those that only pass its numbers on."""
        if not self.inner or self.final is self:
            return self
        inside = [layer.bounding for layer in self.inner]
        return next((layer for layer in reversed(inside) if not layer.passes_on), inside[-1])

    @property
    def neediest(self) -> Layer:
        """The layer, of this one and all inside it, that needs the most rows in a step of training."""
        return max(self.walk(), key=lambda layer: layer.min_batch)

    def describe(self) -> str:
        """The layer in the words of a one-line summary of the net."""
        return self.label()


def fold(x: Array, members: int) -> Array:
    """(members?, batch, ..., n) -> (members?, rows, n): all rows of numbers there are, as one batch."""
    return x if x.ndim <= members + 2 else x.reshape(*x.shape[:members], -1, x.shape[-1])


def product(a: Array, b: Array, out: Array) -> Array:
    """The matrix product a b, written into `out`: by `dot` where it is the same as `matmul`, as it begins sooner."""
    if b.ndim > 2:
        return np.matmul(a, b, out=out)
    if b.size <= 256 and len(a) >= 512:  # BLAS takes three times as long over few numbers that are transposed
        b = np.ascontiguousarray(b)
    return a.dot(b, out=out)


def add_row(y: Array, row: Array, context: Context) -> None:
    """Add a vector (members?, n) to each row of y (members?, rows, n), in place.

    NumPy begins anew with every row. Of many short ones, 64 at a time are taken for one, which is four times as fast.
    """
    rows, n = y.shape[-2:]
    if y.ndim > 2:
        row = row[..., None, :]
    if y.ndim > 2 or rows < 512 or n > 16 or n == 1:
        np.add(y, row, out=y)
        return
    tile = context.empty((64, n))
    tile[...] = row
    whole = rows // 64 * 64
    long_rows = y[:whole].reshape(-1, 64 * n)
    np.add(long_rows, tile.reshape(-1), out=long_rows)
    np.add(y[whole:], row, out=y[whole:])


class ShapeError(ValueError):
    """A layer cannot take rows of this shape. `index` is its place among the layers around it, outermost first."""

    def __init__(self, message: str, index: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.index = message, index

    def within(self, *index: int) -> Self:
        """The same error, seen from the layer around."""
        self.index = (*index, *self.index)
        return self


Buffer = tuple[Array, Shape, Any]  # and the shape and the dtype that were asked for


class Context:
    """What a pass through the layers may ask for: buffers to write into, random numbers, and whether it is to learn.

    Buffers are handed out in the order of asking and are all taken back when the next pass begins, so in the steady
    state layers allocate nothing. An array that is to outlive the pass must be copied.
    """

    def __init__(self, dtype: np.dtype[Any] | type | str, *, training: bool = False, members: int = 0) -> None:
        self.dtype = np.dtype(dtype)
        self.training = training
        self.axes = 2 if members else 1  # that come before those of a row: members, if there are any, and the batch
        self._draws: Draws | None = None
        self._rngs: Sequence[np.random.Generator] = ()
        self._shelves: dict[int, list[Buffer]] = {}  # a shelf for each size of batch
        self._shelf: list[Buffer] = []
        self._next = 0
        self._ones: dict[int, Array] = {}
        self._zeros: dict[Shape, Array] = {}
        self._nothing: Array = np.zeros(0, dtype)
        self._indices: dict[int, Array] = {}

    def begin(self, batch: int, draws: Draws | None = None) -> None:
        """Take all buffers back: a pass with this many rows begins, with random numbers from `draws`, if asked for."""
        self._shelf = self._shelves.setdefault(batch, [])
        self._next = 0
        self._draws, self._rngs = draws, ()

    @property
    def rng(self) -> np.random.Generator:
        """The random numbers of this pass, of its first member where there are several."""
        return self._made()[0]

    def random(self, shape: Shape) -> Array:
        """A buffer of numbers from 0 to 1, of which each member draws its own."""
        buffer, rngs = self.empty(shape), self._made()
        for part, rng in zip(buffer if self.axes > 1 else [buffer], rngs, strict=True):
            rng.random(out=part, dtype=self.dtype.type)
        return buffer

    def _made(self) -> Sequence[np.random.Generator]:
        if not self._rngs:  # until a layer asks for the first of them
            if self._draws is None:
                raise ValueError("this net draws random numbers while it learns; say where from")
            made = self._draws()
            self._rngs = (made,) if isinstance(made, np.random.Generator) else made
        return self._rngs

    def empty(self, shape: Shape, dtype: Any = None) -> Array:
        """A buffer of this shape, of the net's dtype unless another is asked for; its content is anything."""
        at = self._next
        self._next = at + 1
        if at < len(self._shelf):
            buffer, its_shape, its_dtype = self._shelf[at]
            if its_shape == shape and its_dtype is dtype:
                return buffer
            del self._shelf[at:]
        buffer = self._part(at, shape, dtype)
        self._shelf.append((buffer, shape, dtype))
        return buffer

    def _part(self, at: int, shape: Shape, dtype: Any) -> Array:
        """A new buffer; for a smaller batch, a part of what the largest one has in this place."""
        largest = self._shelves[max(self._shelves)] if self._shelves else []
        if shape and at < len(largest):
            buffer, its_shape, its_dtype = largest[at]
            if its_dtype is dtype and its_shape[1:] == shape[1:] and its_shape[:1] > shape[:1]:
                return buffer[: shape[0]]
        return np.empty(shape, self.dtype if dtype is None else dtype)

    def ones(self, n: int) -> Array:
        """A vector (n,) of ones, to sum with: BLAS adds up rows faster than a reduction over the first axis does."""
        if n not in self._ones:
            self._ones[n] = np.ones(n, self.dtype)
        return self._ones[n]

    def zeros(self, shape: Shape) -> Array:
        """Zeros, not to be written to: NumPy takes the larger of two arrays several times as fast as of one and 0."""
        if shape not in self._zeros:
            n = math.prod(shape)
            if n > self._nothing.size:  # all shapes share the largest of them
                self._nothing = np.zeros(n, self.dtype)
                self._zeros.clear()
            self._zeros[shape] = self._nothing[:n].reshape(shape)
        return self._zeros[shape]

    def indices(self, n: int) -> Array:
        """The indices 0, 1, ... n - 1 as a vector (n,), not to be written to."""
        if n not in self._indices:
            self._indices[n] = np.arange(n)
        return self._indices[n]
