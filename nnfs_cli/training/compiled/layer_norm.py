"""Layer normalization in compiled code: the formulas of the layer, in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.intrinsics import square_root
from nnfs_cli.system.machine_code.kernel import Floats, kernel
from nnfs_cli.training.compiled import products
from nnfs_cli.training.compiled.recorder import Recorder, twin
from nnfs_cli.training.compiled.rows import row_dot, row_sum

if TYPE_CHECKING:
    from nnfs_cli.nn.layers.layer_norm import LayerNorm


@kernel
def forward(
    lo: int, hi: int, y: Floats, x_hat: Floats, std: Floats,
    x: Floats, weight: Floats, bias: Floats, width: int, eps: float, share: float,
) -> None:  # fmt: skip
    """Normalize the rows of x (rows, width); `share` is 1 / width. The axis is rows."""
    for i in range(lo, hi):
        at = i * width
        mean = row_sum(x, at, width) * share
        for j in range(width):
            x_hat[at + j] = x[at + j] - mean
        std[i] = square_root(row_dot(x_hat, x_hat, at, width) * share + eps)
        for j in range(width):
            x_hat[at + j] /= std[i]
            y[at + j] = x_hat[at + j] * weight[j] + bias[j]


@kernel
def backward(
    lo: int, hi: int, dx: Floats, dy: Floats, x_hat: Floats, std: Floats, weight: Floats, width: int, share: float
) -> None:
    """Compute the gradient of `forward` by x. The axis is rows."""
    for i in range(lo, hi):
        at = i * width
        for j in range(width):
            dx[at + j] = dy[at + j] * weight[j]
        along = row_dot(dx, x_hat, at, width) * share
        mean = row_sum(dx, at, width) * share
        by = std[i]
        for j in range(width):
            dx[at + j] = ((dx[at + j] - mean) - x_hat[at + j] * along) / by


@twin("LayerNorm")
def _layer_norm(layer: LayerNorm, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    shape, x = x.shape, recorder.as_rows(x)
    rows, width = x.shape
    y, x_hat, std = recorder.empty(x.shape), recorder.empty(x.shape), recorder.empty((rows,))
    recorder.record(forward, rows, y, x_hat, std, x, p.weight, p.bias, width, layer.eps, 1 / width, each=width)

    def backward_pass(dy: Array, g: Views, need_dx: bool) -> Array:
        dx = recorder.empty(x.shape)
        recorder.record(products.sum_rows, width, g.bias, dy, rows, width, each=rows)
        recorder.record(products.sum_products, width, g.weight, dy, x_hat, rows, width, each=rows)
        recorder.record(backward, rows, dx, dy, x_hat, std, p.weight, width, 1 / width, each=width)
        return dx.reshape(shape)

    return y.reshape(shape), backward_pass
