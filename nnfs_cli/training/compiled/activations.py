"""The twins of layers that work entry by entry."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.kernel import Floats, kernel, real
from nnfs_cli.training.compiled.recorder import Recorder, twin


@kernel
def relu(lo: int, hi: int, y: Floats, x: Floats) -> None:
    """Compute y = max(x, 0)."""
    for i in range(lo, hi):
        y[i] = max(x[i], real(0))


@kernel
def relu_back(lo: int, hi: int, dx: Floats, dy: Floats, y: Floats) -> None:
    """Compute dx = dy where y > 0, else 0."""
    for i in range(lo, hi):
        dx[i] = dy[i] if y[i] > real(0) else real(0)


@twin(ReLU)
def _relu(layer: ReLU, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    y = recorder.empty(x.shape)
    recorder.record(relu, x.size, y, x)

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        dx = recorder.empty(x.shape)
        recorder.record(relu_back, x.size, dx, dy, y)
        return dx

    return y, backward
