"""The twins of losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from nnfs_cli.arrays import Array
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.system.machine_code.kernel import Floats, kernel, real
from nnfs_cli.training.compiled.recorder import Recorder

# backward(counts) returns the gradient of Σ_rows counts · loss by the outputs; counts is (batch,).
LossBackward = Callable[[Array], Array]
# (loss, y_hat or z, y, recorder) -> losses (batch,), backward
LossTwin = Callable[[Any, Array, Array, Recorder], tuple[Array, LossBackward]]
_TWINS: dict[tuple[type[Loss], bool], LossTwin] = {}

SomeTwin = TypeVar("SomeTwin", bound=LossTwin)


def loss_twin(*losses: type[Loss], logits: bool = False) -> Callable[[SomeTwin], SomeTwin]:
    """Declare the twin of `Loss.forward`, or of `Loss.forward_logits`, of these losses."""

    def declare(function: SomeTwin) -> SomeTwin:
        _TWINS.update({(loss, logits): function for loss in losses})
        return function

    return declare


def has_loss_twin(loss: Loss, logits: bool) -> bool:
    """Return whether a loss of outputs, or of logits, has a twin."""
    return (type(loss), logits) in _TWINS


def loss_twin_of(loss: Loss, logits: bool) -> LossTwin:
    """Return the twin of a loss that has one."""
    return _TWINS[type(loss), logits]


@kernel
def mse(lo: int, hi: int, losses: Floats, y_hat: Floats, y: Floats, n: int, factor: float) -> None:
    """Compute factor · 1/n Σ (y_hat - y)² over the n outputs."""
    for i in range(lo, hi):
        found = real(0)
        for j in range(n):
            error = y_hat[i * n + j] - y[i * n + j]
            found += error * error
        losses[i] = found * (factor / real(n))


@kernel
def mse_back(lo: int, hi: int, dy: Floats, y_hat: Floats, y: Floats, counts: Floats, n: int, factor: float) -> None:
    """Compute factor · 2/n (y_hat - y) · counts."""
    for i in range(lo, hi):
        for j in range(n):
            dy[i * n + j] = (y_hat[i * n + j] - y[i * n + j]) * (counts[i] * (real(2) * factor / real(n)))


@loss_twin(MSE)
def _mse(loss: MSE, y_hat: Array, y: Array, recorder: Recorder) -> tuple[Array, LossBackward]:
    rows, n = y_hat.shape
    losses = recorder.empty((rows,))
    recorder.record(mse, rows, losses, y_hat, y, n, loss.factor)

    def backward(counts: Array) -> Array:
        dy = recorder.empty(y_hat.shape)
        recorder.record(mse_back, rows, dy, y_hat, y, counts, n, loss.factor)
        return dy

    return losses, backward
