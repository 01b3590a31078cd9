"""The order of an epoch in compiled code: `numpy.random.Generator.permutation` of the rows, bit for bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.batches import Batches
from nnfs_cli.system.machine_code.kernel import Ints, kernel
from nnfs_cli.training.compiled.program import Machine
from nnfs_cli.training.compiled.random_numbers import (
    HALF,
    LOWER,
    ONE,
    STEP_HI,
    STEP_LO,
    ZERO,
    Stream,
    multiply_add,
    output,
    seed_stream,
)
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.step_loop import BatchOrder

MOST_ROWS = 1 << 32  # NumPy draws longer numbers for more


@kernel
def permute(lo: int, hi: int, order: Ints, state: Ints, n: int) -> None:
    """Write the numbers below n in a random order: from the last place on, each swaps with a place up to its own.

    A place is the lower bits of a half of a random word, the lower half first; larger ones are drawn again. The axis
    has length 1.
    """
    for _ in range(lo, hi):
        for i in range(n):
            order[i] = i
        s_hi, s_lo = np.uint64(state[0]), np.uint64(state[1])
        c_hi, c_lo = np.uint64(state[2]), np.uint64(state[3])
        word, halves, mask = ZERO, 0, ONE
        while mask < np.uint64(n - 1):
            mask = (mask << ONE) | ONE
        for i in range(n - 1, 0, -1):
            largest = np.uint64(i)
            if largest <= mask >> ONE:
                mask >>= ONE
            while True:
                if halves == 0:
                    s_hi, s_lo = multiply_add(s_hi, s_lo, STEP_HI, STEP_LO, c_hi, c_lo)
                    word, halves = output(s_hi, s_lo), 2
                drawn = word & LOWER & mask
                word >>= HALF
                halves -= 1
                if drawn <= largest:
                    break
            j = np.int64(drawn)
            order[i], order[j] = order[j], order[i]


class Permutation:
    """The random order of all rows in each epoch, as `Batches.order` draws it."""

    def __init__(self, batches: Batches, compiling: Callable[[int], None]) -> None:
        recorder, self._order = Recorder(np.dtype(np.float64)), np.zeros(batches.rows, np.int64)
        self._machine = Machine(recorder.dtype, np.zeros(1, np.int64), compiling)
        self._stream = Stream(batches.seed, "batches", 0, self._machine.step)
        recorder.record(seed_stream, 1, *self._stream.operands)
        recorder.record(permute, 1, self._order, self._stream.state, batches.rows)
        self._machine.add(recorder.taken())

    def __call__(self, epoch: int) -> Array:
        """Return the rows of an epoch, counted from 1, in an array that the next call uses again."""
        self._stream.begin(epoch, 0)
        self._machine.run(0, 1)
        return self._order


def order_of(batches: BatchOrder, compiling: Callable[[int], None]) -> Callable[[int], Array]:
    """Return what does the work of `BatchOrder.order`: compiled code if the order is a permutation of all rows."""
    if isinstance(batches, Batches) and batches.permutes and batches.rows < MOST_ROWS:
        return Permutation(batches, compiling)
    return batches.order
