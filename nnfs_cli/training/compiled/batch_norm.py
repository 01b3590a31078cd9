"""Batch normalization in compiled code: the formulas of the layer, in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.intrinsics import square_root
from nnfs_cli.system.machine_code.kernel import Floats, kernel, real
from nnfs_cli.training.compiled import products
from nnfs_cli.training.compiled.recorder import Recorder, twin

if TYPE_CHECKING:
    from nnfs_cli.nn.layers.batch_norm import BatchNorm


@kernel
def center(
    lo: int, hi: int, x_hat: Floats, mean: Floats, running: Floats,
    x: Floats, rows: int, width: int, keep: float, share: float,
) -> None:  # fmt: skip
    """Turn the sums of the columns of x (rows, width) into their means, and subtract them. The axis is columns."""
    for j in range(lo, hi):
        mean[j] /= real(rows)
        running[j] = running[j] * keep + mean[j] * share
    for i in range(rows):
        for j in range(lo, hi):
            x_hat[i * width + j] = x[i * width + j] - mean[j]


@kernel
def scale(
    lo: int, hi: int, y: Floats, x_hat: Floats, inverse: Floats, running: Floats,
    weight: Floats, bias: Floats, rows: int, width: int, eps: float, keep: float, share: float,
) -> None:  # fmt: skip
    """Turn the sums of squares of x_hat (rows, width) into 1 / sqrt(var + eps), and multiply by it.

    Then compute y = x_hat · weight + bias. The axis is columns.
    """
    for j in range(lo, hi):
        var = inverse[j] / real(rows)
        running[j] = running[j] * keep + var * share
        inverse[j] = real(1) / square_root(var + eps)
    for i in range(rows):
        for j in range(lo, hi):
            x_hat[i * width + j] *= inverse[j]
            y[i * width + j] = x_hat[i * width + j] * weight[j] + bias[j]


@kernel
def scale_by_running(
    lo: int, hi: int, y: Floats, x: Floats, inverse: Floats, mean: Floats, var: Floats,
    weight: Floats, bias: Floats, rows: int, width: int, eps: float,
) -> None:  # fmt: skip
    """Compute y = (x - mean) / sqrt(var + eps) · weight + bias for x (rows, width). The axis is columns."""
    for j in range(lo, hi):
        inverse[j] = real(1) / square_root(var[j] + eps)
    for i in range(rows):
        for j in range(lo, hi):
            y[i * width + j] = (x[i * width + j] - mean[j]) * inverse[j] * weight[j] + bias[j]


@kernel
def gradient(
    lo: int, hi: int, dx: Floats, mean_bias: Floats, mean_weight: Floats, dweight: Floats, dbias: Floats,
    dy: Floats, x_hat: Floats, inverse: Floats, weight: Floats, rows: int, width: int,
) -> None:  # fmt: skip
    """Compute (dy - dbias / n - x_hat · dweight / n) · weight / sqrt(var + eps). The axis is columns."""
    for j in range(lo, hi):
        mean_bias[j] = dbias[j] / real(rows)
        mean_weight[j] = dweight[j] / real(rows)
    for i in range(rows):
        at = i * width
        for j in range(lo, hi):
            rest = (dy[at + j] - mean_bias[j]) - x_hat[at + j] * mean_weight[j]
            dx[at + j] = rest * (weight[j] * inverse[j])


def _no_backward(dy: Array, g: Views, need_dx: bool) -> Array:
    raise NotImplementedError("batch_norm with running figures is recorded for evaluation alone")


@twin("BatchNorm")
def _batch_norm(layer: BatchNorm, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    shape, x = x.shape, recorder.as_rows(x)
    rows, width = x.shape
    y, x_hat = recorder.empty(x.shape), recorder.empty(x.shape)
    mean, inverse, spare = (recorder.empty((width,)) for _ in range(3))
    if not recorder.training:
        running = p.running_mean, p.running_var
        recorder.record(scale_by_running, width, y, x, inverse, *running, p.weight, p.bias, rows, width, layer.eps)
        return y.reshape(shape), _no_backward
    keep, share = 1 - layer.momentum, float(layer.momentum)
    recorder.record(products.sum_rows, width, mean, x, rows, width, each=rows)
    recorder.record(center, width, x_hat, mean, p.running_mean, x, rows, width, keep, share)
    recorder.record(products.sum_products, width, inverse, x_hat, x_hat, rows, width, each=rows)
    share *= rows / max(rows - 1, 1)
    recorder.record(
        scale, width, y, x_hat, inverse, p.running_var, p.weight, p.bias, rows, width, layer.eps, keep, share
    )

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        dx = recorder.empty(x.shape)
        recorder.record(products.sum_rows, width, g.bias, dy, rows, width, each=rows)
        recorder.record(products.sum_products, width, g.weight, dy, x_hat, rows, width, each=rows)
        recorder.record(gradient, width, dx, mean, spare, g.weight, g.bias, dy, x_hat, inverse, p.weight, rows, width)
        return dx.reshape(shape)

    return y.reshape(shape), backward
