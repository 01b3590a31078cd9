"""What the twins of losses are made of, and where they are declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from nnfs_cli.arrays import Array
from nnfs_cli.nn.losses import Loss
from nnfs_cli.system.machine_code.kernel import Floats, Kernel, kernel
from nnfs_cli.training.compiled.recorder import Recorder, key
from nnfs_cli.training.compiled.rows import row_sum

# backward(counts) returns the gradient of Σ_rows counts · loss by the outputs; counts is (batch,).
LossBackward = Callable[[Array], Array]
# (loss, y_hat or z, y, recorder) -> losses (batch,), backward
LossTwin = Callable[[Any, Array, Array, Recorder], tuple[Array, LossBackward]]
_TWINS: dict[tuple[str, bool], LossTwin] = {}

SomeTwin = TypeVar("SomeTwin", bound=LossTwin)


def loss_twin(*losses: str, logits: bool = False) -> Callable[[SomeTwin], SomeTwin]:
    """Declare the twin of `Loss.forward`, or of `Loss.forward_logits`, of these losses."""

    def declare(function: SomeTwin) -> SomeTwin:
        _TWINS.update({(loss, logits): function for loss in losses})
        return function

    return declare


def has_loss_twin(loss: Loss, logits: bool) -> bool:
    """Return whether a loss of outputs, or of logits, has a twin."""
    return (key(loss), logits) in _TWINS


def loss_twin_of(loss: Loss, logits: bool) -> LossTwin:
    """Return the twin of a loss that has one."""
    return _TWINS[key(loss), logits]


@kernel
def row_sums(lo: int, hi: int, losses: Floats, each: Floats, n: int, factor: float) -> None:
    """Compute factor · Σ_j each_j over the n numbers of the rows lo to hi."""
    if n == 1:
        for i in range(lo, hi):
            losses[i] = each[i] * factor
    else:
        for i in range(lo, hi):
            losses[i] = row_sum(each, i * n, n) * factor


@kernel
def weighted(lo: int, hi: int, dy: Floats, slope: Floats, counts: Floats, n: int, factor: float) -> None:
    """Compute dy_j = slope_j · counts · factor for the n numbers of the rows lo to hi."""
    if n == 1:
        for i in range(lo, hi):
            dy[i] = slope[i] * (counts[i] * factor)
    else:
        for i in range(lo, hi):
            weight = counts[i] * factor
            for j in range(i * n, i * n + n):
                dy[j] = slope[j] * weight


def summed(
    each: Array, slope: Array, recorder: Recorder, factor: float, slope_factor: float
) -> tuple[Array, LossBackward]:
    """Record the loss factor · Σ_j each_j of each row, with the gradient slope_factor · slope; all (batch, n)."""
    rows, n = each.shape
    losses = recorder.empty((rows,))
    recorder.record(row_sums, rows, losses, each, n, float(factor))
    return losses, times_counts(slope, recorder, slope_factor)


def times_counts(slope: Array, recorder: Recorder, factor: float = 1.0) -> LossBackward:
    """Return the backward pass of a loss whose gradient is factor · slope, (batch, n)."""
    rows, n = slope.shape

    def backward(counts: Array) -> Array:
        dy = recorder.empty(slope.shape)
        recorder.record(weighted, rows, dy, slope, counts, n, float(factor))
        return dy

    return backward


def loss_by_entry(
    forward: Kernel, y_hat: Array, y: Array, recorder: Recorder, *numbers: float, factor: float, slope_factor: float
) -> tuple[Array, LossBackward]:
    """Record a loss that is a sum over entries; its kernel is forward(each, slope, y_hat, y, *numbers)."""
    each, slope = recorder.empty(y_hat.shape), recorder.empty(y_hat.shape)
    recorder.record(forward, y_hat.size, each, slope, y_hat, y, *map(float, numbers), each=1)
    return summed(each, slope, recorder, factor, slope_factor)
