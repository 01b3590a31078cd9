"""What happens to a gradient before the step: penalties, clipping, and the sum over several batches."""

from __future__ import annotations

import math

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.intrinsics import square_root
from nnfs_cli.system.machine_code.kernel import Floats, kernel, real
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.compiled.functions import sign
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.compiled.rows import row_dot
from nnfs_cli.training.penalty import Factors

BLOCK = 4096  # entries whose squares are summed together


@kernel
def add_l2(lo: int, hi: int, g: Floats, w: Floats, factors: Floats) -> None:
    """Compute g <- g + l2 · w."""
    for i in range(lo, hi):
        g[i] += factors[i] * w[i]


@kernel
def add_l1(lo: int, hi: int, g: Floats, w: Floats, factors: Floats) -> None:
    """Compute g <- g + l1 · sign(w)."""
    for i in range(lo, hi):
        g[i] += factors[i] * sign(w[i])


def record_penalty(factors: Factors, w: Array, g: Array, recorder: Recorder) -> None:
    """Record `Penalty.add_gradient` for one member; all arrays are (learned,)."""
    for kind, adding in (("l2", add_l2), ("l1", add_l1)):
        if kind in factors:
            recorder.record(adding, w.size, g, w, factors[kind], each=1)


@kernel
def clip_value(lo: int, hi: int, g: Floats, value: float) -> None:
    """Limit the absolute value of each entry."""
    for i in range(lo, hi):
        g[i] = min(max(g[i], -value), value)


@kernel
def square_sums(lo: int, hi: int, sums: Floats, g: Floats, n: int) -> None:
    """Write the sum of squares of each block of the n entries. The axis is blocks."""
    for block in range(lo, hi):
        first = block * BLOCK
        sums[block] = row_dot(g, g, first, min(BLOCK, n - first))


@kernel
def norm_factors(lo: int, hi: int, factors: Floats, sums: Floats, n_sums: int, g: Floats, n: int, norm: float) -> None:
    """Find a divisor and a factor that limit the norm of g (n,). The axis has length 1."""
    for _ in range(lo, hi):
        factors[0] = factors[1] = real(1)
        total = 0.0
        for i in range(n_sums):
            total += sums[i]
        if total == math.inf:  # perhaps only the sum of squares overflows
            largest = real(0)
            for i in range(n):
                largest = max(largest, abs(g[i]))
            if largest < math.inf:
                total = 0.0
                for i in range(n):
                    total += (g[i] / largest) * (g[i] / largest)
                factors[0] = largest
                factors[1] = min(norm / square_root(total), largest)  # at most as it was
        elif square_root(total) > norm:
            factors[1] = norm / square_root(total)


@kernel
def rescale(lo: int, hi: int, g: Floats, factors: Floats) -> None:
    """Divide and multiply by what `norm_factors` found."""
    divisor, factor = factors[0], factors[1]
    if divisor != real(1):
        for i in range(lo, hi):
            g[i] /= divisor
    if factor != real(1):
        for i in range(lo, hi):
            g[i] *= factor


def record_clip(clip: Clip, g: Array, recorder: Recorder) -> None:
    """Record `Clip.apply` for one member."""
    n, blocks = g.size, -(-g.size // BLOCK)
    if clip.value is not None:
        recorder.record(clip_value, n, g, clip.value, each=1)
    if clip.norm is not None:
        sums, factors = recorder.empty((blocks,)), recorder.empty((2,))
        recorder.record(square_sums, blocks, sums, g, n, each=BLOCK)
        recorder.record(norm_factors, 1, factors, sums, sums.size, g, n, clip.norm)
        recorder.record(rescale, n, g, factors, each=1)


@kernel
def copy(lo: int, hi: int, out: Floats, x: Floats) -> None:
    """Copy the entries lo to hi."""
    for i in range(lo, hi):
        out[i] = x[i]


@kernel
def add(lo: int, hi: int, out: Floats, x: Floats) -> None:
    """Add the entries lo to hi."""
    for i in range(lo, hi):
        out[i] += x[i]
