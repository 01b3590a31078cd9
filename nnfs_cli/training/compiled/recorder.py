"""Record the instructions of a pass, by letting layers compute on buffers that are only promised.

A twin of a layer has the signature of its `forward`. It takes buffers and returns a buffer, like the layer, but it
calls no function on them: it records which kernels will. So layers that are made of products and of other layers need
no twin: they are recorded as they stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.component import Component
from nnfs_cli.nn.context import Context, Draws
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.blas import gemm_address
from nnfs_cli.system.machine_code.entry import address
from nnfs_cli.system.machine_code.kernel import Kernel
from nnfs_cli.training.compiled import products, random_numbers
from nnfs_cli.training.compiled.random_numbers import Stream

ALIGNMENT = 64  # bytes; a vector of a processor never crosses two lines of its cache

WORTH_PIECE = 1 << 15  # numbers
WORTH_PRODUCT = 1 << 22  # multiplications; smaller pieces take twice the processor time for hardly shorter steps
EDGE = 16  # pieces end at multiples of this, where BLAS begins a new block, and so rounds as in the whole

Operand = Any  # a flat or contiguous array, an int or a float


class Instruction(NamedTuple):
    """A kernel, the range of its axis, the size of the pieces that threads share (0 for none), and other operands."""

    kernel: Kernel
    lo: int
    hi: int
    piece: int
    operands: tuple[Operand, ...]


class Recorder(Context):
    """A context that records. Buffers are shared by all programs that are recorded with it, in the order of requests.

    `step` holds what kernels may ask about the step that is being made; see `program.py`. A large instruction is cut
    into a piece for each of the `threads` that make a step together.
    """

    def __init__(self, dtype: np.dtype[Any], *, training: bool = True, threads: int = 1) -> None:
        super().__init__(dtype, training=training)
        self.threads = threads
        self.instructions: list[Instruction] = []
        self.stream: Stream | None = None  # of the member that is recorded
        self.drawn = 0  # random numbers in this pass

    def begin(self, batch: int, draws: Draws | None = None) -> None:
        """Begin a pass with a batch of this many rows."""
        super().begin(batch, draws)
        self.drawn = 0

    def record(self, kernel: Kernel, hi: int, *operands: Operand, each: int = 0) -> None:
        """Add an instruction for the range 0 to hi of its axis.

        `each` is how many numbers belong to one entry of the axis, if the axis may be shared by threads.
        """
        if len(operands) != len(kernel.kinds):
            raise TypeError(f"{kernel.function.__name__} takes {len(kernel.kinds)} operands, found {len(operands)}")
        self.instructions.append(Instruction(kernel, 0, hi, self._piece(hi, hi * each, WORTH_PIECE), operands))

    def _piece(self, length: int, work: int, worth: int) -> int:
        """Return the size of the pieces of an axis with this much work; 0 if they would have less than `worth`."""
        pieces = min(work // worth, self.threads)
        return -(-length // pieces // EDGE) * EDGE if pieces > 1 else 0

    def taken(self) -> list[Instruction]:
        """Return the instructions since the last call."""
        instructions, self.instructions = self.instructions, []
        return instructions

    def _new_buffer(self, at: int, shape: Shape, dtype: Any) -> Array:
        largest, n = self._shelves[max(self._shelves)] if self._shelves else [], math.prod(shape)
        if at < len(largest):
            buffer, _, its_dtype = largest[at]
            if its_dtype is dtype and n <= buffer.size:
                part: Array = buffer.reshape(-1)[:n].reshape(shape)
                return part
        return aligned(shape, self.dtype if dtype is None else dtype)

    def random_words(self, n: int) -> tuple[Array, Array]:
        """Record the drawing of n random numbers of the net's dtype.

        Return the words (64 bits) that hold them, and a view (n,) of the numbers that can be made in their place; a
        word holds two numbers of float32.
        """
        if self.stream is None:
            raise ValueError("this net draws random numbers; give the recorder a stream")
        if not self.drawn:
            self.record(random_numbers.seed_stream, 1, *self.stream.operands)
        in_word, block = random_numbers.WORD_BYTES // self.dtype.itemsize, random_numbers.BLOCK
        first, skipped = divmod(self.drawn, in_word)
        self.drawn += n
        n_words = -(-(skipped + n) // in_word)
        blocks = -(-n_words // block)
        words, spare = self.empty((n_words,), np.int64), self.empty((blocks * random_numbers.SPARE,), np.int64)
        start = random_numbers.jump(first)
        self.record(random_numbers.draw_words, blocks, words, spare, self.stream.state, start, n_words, each=block)
        return words, words.view(self.dtype)[skipped : skipped + n]

    # What layers are made of

    def product(self, a: Array, b: Array, out: Array) -> None:
        """Record out = a @ b for matrices, of which a and b may be transposed views."""
        (m, k), n = a.shape, b.shape[1]
        turn_a, turn_b = (not matrix.flags.c_contiguous for matrix in (a, b))
        size, at = self.dtype.itemsize, gemm_address(self.dtype)
        # The kernel takes addresses; an instruction keeps its arrays alive, and says if one is not stored by rows.
        places = (a.T if turn_a else a, m if turn_a else k, b.T if turn_b else b, k if turn_b else n, out, n, size)
        # The longer axis is shared, so that each thread prepares little of the other matrix for itself.
        kernel, length, other = (products.product, m, n) if m >= n else (products.product_by_columns, n, m)
        operands = (at, turn_a, turn_b, other, k, *places)
        piece = self._piece(length, m * n * k, WORTH_PRODUCT)
        self.instructions.append(Instruction(kernel, 0, length, piece, operands))

    def matmul(self, x: Array, weight: Array) -> Array:
        """Record x @ weight, and return the buffer of the result."""
        y = self.empty((*x.shape[:-1], weight.shape[-1]))
        self.product(x.reshape(-1, x.shape[-1]), weight, y.reshape(-1, y.shape[-1]))
        return y

    def sum_outer(self, x: Array, dy: Array, out: Array) -> Array:
        """Record xᵀ dy, summed over the batch."""
        self.product(x.reshape(-1, x.shape[-1]).T, dy.reshape(-1, dy.shape[-1]), out)
        return out

    def sum_rows(self, dy: Array, out: Array) -> Array:
        """Record the sum over the batch."""
        n = dy.shape[-1]
        self.record(products.sum_rows, n, out, dy, dy.size // n, n, each=dy.size // n)
        return out

    def add_bias(self, y: Array, bias: Array) -> None:
        """Record the addition of a vector to each row of y, in place."""
        n = y.shape[-1]
        self.record(products.add_bias, y.size // n, y, bias, n, each=n)


Twin = Callable[[Any, Views, Array, Recorder], tuple[Array, Backward]]
_TWINS: dict[str, Twin] = {}

SomeTwin = TypeVar("SomeTwin", bound=Twin)


def twin(*layers: str) -> Callable[[SomeTwin], SomeTwin]:
    """Declare the twin of layers: ``twin(layer, p, x, recorder) -> y, backward``, as `Layer.forward` of these.

    They are named by their classes, so that no layer is imported that a net does not have.
    """

    def declare(function: SomeTwin) -> SomeTwin:
        _TWINS.update(dict.fromkeys(layers, function))
        return function

    return declare


def has_twin(layer: Layer) -> bool:
    """Return whether a layer has a twin. A subclass does not inherit one."""
    return key(layer) in _TWINS


def twin_of(layer: Layer) -> Twin:
    """Return the twin of a layer that has one."""
    return _TWINS[key(layer)]


def key(component: Component) -> str:
    """Return the name by which a component has a twin; empty for a class of the user's own."""
    kind = type(component)
    return "" if kind.is_own() else kind.__name__


def aligned(shape: Shape, dtype: Any) -> Array:
    """Return a new array whose memory begins at a multiple of `ALIGNMENT`."""
    n = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    memory = np.zeros(n + ALIGNMENT, np.uint8)
    start = -address(memory) % ALIGNMENT
    array: Array = memory[start : start + n].view(dtype).reshape(shape)
    return array
