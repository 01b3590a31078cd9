"""The twins of layers that work row by row: softmax, prelu, and the sums of residual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.kernel import Floats, kernel, real
from nnfs_cli.training.compiled.functions import exp
from nnfs_cli.training.compiled.recorder import Recorder, twin
from nnfs_cli.training.compiled.rows import row_dot, row_max, row_sum

if TYPE_CHECKING:
    from nnfs_cli.nn.layers.prelu import PReLU
    from nnfs_cli.nn.layers.residual import Residual
    from nnfs_cli.nn.layers.softmax import Softmax


@kernel
def softmax(lo: int, hi: int, y: Floats, x: Floats, n: int) -> None:
    """Compute y_i = exp(x_i) / Σ_j exp(x_j) for the rows lo to hi."""
    for i in range(lo, hi):
        highest = row_max(x, i * n, n)
        for j in range(i * n, i * n + n):
            y[j] = x[j] - highest
    for j in range(lo * n, hi * n):
        y[j] = exp(y[j])
    for i in range(lo, hi):
        share = real(1) / row_sum(y, i * n, n)
        for j in range(i * n, i * n + n):
            y[j] *= share


@kernel
def softmax_back(lo: int, hi: int, dx: Floats, dy: Floats, y: Floats, n: int) -> None:
    """Compute dx_j = y_j (dy_j - Σ_i y_i dy_i)."""
    for i in range(lo, hi):
        mean = row_dot(y, dy, i * n, n)
        for j in range(i * n, i * n + n):
            dx[j] = y[j] * (dy[j] - mean)


@twin("Softmax")
def _softmax(layer: Softmax, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    y, n = recorder.empty(x.shape), x.shape[-1]
    recorder.record(softmax, x.size // n, y, x, n, each=n)

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        dx = recorder.empty(x.shape)
        recorder.record(softmax_back, x.size // n, dx, dy, y, n, each=n)
        return dx

    return y, backward


@kernel
def prelu(lo: int, hi: int, y: Floats, x: Floats, slope: Floats, n: int) -> None:
    """Compute y = x for x > 0, else slope · x, with a slope for each of the n columns."""
    for i in range(lo, hi):
        for j in range(n):
            at = i * n + j
            y[at] = x[at] if x[at] > real(0) else slope[j] * x[at]


@kernel
def prelu_back(lo: int, hi: int, dx: Floats, below: Floats, dy: Floats, x: Floats, slope: Floats, n: int) -> None:
    """Compute dx, and the terms min(x, 0) · dy of the gradient of the slopes."""
    for i in range(lo, hi):
        for j in range(n):
            at = i * n + j
            dx[at] = dy[at] if x[at] > real(0) else slope[j] * dy[at]
            below[at] = real(0) * dy[at] if x[at] > real(0) else x[at] * dy[at]


@twin("PReLU")
def _prelu(layer: PReLU, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    y, n = recorder.empty(x.shape), x.shape[-1]
    recorder.record(prelu, x.size // n, y, x, p.slope, n, each=n)

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        dx, below = recorder.empty(x.shape), recorder.empty(x.shape)
        recorder.record(prelu_back, x.size // n, dx, below, dy, x, p.slope, n, each=n)
        recorder.sum_rows(below, out=g.slope)
        return dx

    return y, backward


@kernel
def add(lo: int, hi: int, out: Floats, a: Floats, b: Floats) -> None:
    """Compute a + b entry by entry."""
    for i in range(lo, hi):
        out[i] = a[i] + b[i]


@twin("Residual")
def _residual(layer: Residual, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    f, f_backward = layer.body.forward(p, x, recorder)
    projected = hasattr(p, "projection")
    y = recorder.empty(f.shape)
    recorder.record(add, f.size, y, f, recorder.matmul(x, p.projection) if projected else x, each=1)

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        dx = f_backward(dy, g, need_dx)
        if projected:
            recorder.sum_outer(x, dy, out=g.projection)
        if not need_dx:
            return dx
        total = recorder.empty(x.shape)
        recorder.record(add, x.size, total, dx, recorder.matmul(dy, p.projection.mT) if projected else dy, each=1)
        return total

    return y, backward
