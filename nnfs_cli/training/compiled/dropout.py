"""Dropout in compiled code: masks are made in the words that random numbers are made of, bit for bit NumPy's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.kernel import SINGLE, Floats, Ints, kernel
from nnfs_cli.training.compiled.recorder import Recorder, twin

if TYPE_CHECKING:
    from nnfs_cli.nn.layers.dropout import Dropout


@kernel
def words_to_mask(lo: int, hi: int, words: Ints, least: int, kept: int) -> None:
    """Replace random words by the numbers of a mask: 0 where the random number is below the rate, else `kept`.

    For float32 a word holds two numbers, the first in its lower half. `least` and `kept` are those of `mask_numbers`.
    """
    first, bits, zero, half = np.uint64(least), np.uint64(kept), np.uint64(0), np.uint64(32)
    for i in range(lo, hi):
        word = np.uint64(words[i])
        mask = bits if word >= first else zero
        if SINGLE:
            mask = (mask << half) | (bits if (word << half) >= first else zero)
        words[i] = np.int64(mask)


@kernel
def apply_mask(lo: int, hi: int, y: Floats, x: Floats, mask: Floats) -> None:
    """Compute y = x · mask."""
    for i in range(lo, hi):
        y[i] = x[i] * mask[i]


def mask_numbers(rate: float, dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return the least word whose number is not below the rate, and the bits of 1 / (1 - rate), as signed numbers."""
    bits = 24 if dtype == np.float32 else 53
    least = math.ceil(math.ldexp(float(dtype.type(rate)), bits)) << (64 - bits)
    kept = np.array(1 / (1 - rate), dtype).view(f"u{dtype.itemsize}")
    if least >> 64:  # the rate is rounded to 1
        return 0, 0
    return int(np.uint64(least).astype(np.int64)), int(kept)


@twin("Dropout")
def _dropout(layer: Dropout, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    if not (recorder.training and layer.rate):
        return x, lambda dy, g, need_dx: dy
    words, mask = recorder.random_words(x.size)
    recorder.record(words_to_mask, words.size, words, *mask_numbers(layer.rate, recorder.dtype), each=1)
    y = recorder.empty(x.shape)
    recorder.record(apply_mask, x.size, y, x, mask, each=1)

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        dx = recorder.empty(x.shape)
        recorder.record(apply_mask, x.size, dx, dy, mask, each=1)
        return dx

    return y, backward
