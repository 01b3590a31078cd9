"""The twins of what a net for ordered classes ends in: the layers that make cut points, and the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.losses.cross_entropy import margin
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.kernel import Floats, device, kernel, real
from nnfs_cli.training.compiled.functions import exp, expm1, log, sigmoid, softplus
from nnfs_cli.training.compiled.losses import LossBackward, loss_twin, times_counts
from nnfs_cli.training.compiled.recorder import Recorder, twin
from nnfs_cli.training.compiled.rows import row_sum

if TYPE_CHECKING:
    from nnfs_cli.nn.layers.ascending import Ascending
    from nnfs_cli.nn.layers.cumulative_logits import CumulativeLogits
    from nnfs_cli.nn.losses.ordinal import Ordinal


@kernel
def cut_points(lo: int, hi: int, cuts: Floats, distance: Floats, spacing: Floats, n: int) -> None:
    """Compute c_0 = s_0 and c_j = c_j-1 + exp(s_j), and the derivative of each distance by its s. The axis is 1."""
    for j in range(n):
        distance[j] = exp(spacing[j]) if j > 0 else real(1)
        cuts[j] = cuts[j - 1] + distance[j] if j > 0 else spacing[j]


@kernel
def below_cut_points(lo: int, hi: int, y: Floats, cuts: Floats, score: Floats, n: int) -> None:
    """Compute y_j = c_j - score for the rows lo to hi."""
    for i in range(lo, hi):
        for j in range(n):
            y[i * n + j] = cuts[j] - score[i]


@kernel
def score_back(lo: int, hi: int, dscore: Floats, dy: Floats, n: int) -> None:
    """Compute -Σ_j dy_j for the rows lo to hi."""
    for i in range(lo, hi):
        dscore[i] = -row_sum(dy, i * n, n)


@kernel
def later_sums(lo: int, hi: int, dx: Floats, dy: Floats, slope: Floats, n: int) -> None:
    """Compute dx_j = slope_j Σ_k>=j dy_k for the rows lo to hi."""
    for i in range(lo, hi):
        later = real(0)
        for k in range(n):
            at = i * n + n - 1 - k
            later += dy[at]
            dx[at] = later * slope[at]


@twin("CumulativeLogits")
def _cumulative_logits(layer: CumulativeLogits, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    shape, x, n = x.shape, recorder.as_rows(x), layer.units
    rows, score = len(x), recorder.matmul(x, p.weight)
    cuts, distance, y = recorder.empty((n,)), recorder.empty((n,)), recorder.empty((rows, n))
    recorder.record(cut_points, 1, cuts, distance, p.spacing, n)
    recorder.record(below_cut_points, rows, y, cuts, score, n, each=n)

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        dscore, total = recorder.empty((rows, 1)), recorder.empty((n,))
        recorder.record(score_back, rows, dscore, dy, n, each=n)
        recorder.sum_outer(x, dscore, out=g.weight)
        recorder.sum_rows(dy, out=total)
        recorder.record(later_sums, 1, g.spacing, total, distance, n)
        return recorder.matmul(dscore, p.weight.mT).reshape(shape) if need_dx else dy

    return y.reshape(*shape[:-1], n), backward


@kernel
def ascending(lo: int, hi: int, y: Floats, slope: Floats, x: Floats, spacing: Floats, n: int) -> None:
    """Compute y_0 = z_0 and y_j = y_j-1 + softplus(z_j) with z = x + s, and the slope of each step."""
    for i in range(lo, hi):
        reached = real(0)
        for j in range(n):
            at = i * n + j
            z = x[at] + spacing[j]
            slope[at] = sigmoid(z) if j > 0 else real(1)
            reached += softplus(z) if j > 0 else z
            y[at] = reached


@twin("Ascending")
def _ascending(layer: Ascending, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    y, slope, n = recorder.empty(x.shape), recorder.empty(x.shape), x.shape[-1]
    recorder.record(ascending, x.size // n, y, slope, x, p.spacing, n, each=n)

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        dx = recorder.empty(x.shape)
        recorder.record(later_sums, x.size // n, dx, dy, slope, n, each=n)
        recorder.sum_rows(dx, out=g.spacing)
        return dx

    return y, backward


@device
def is_upper(y: Floats, at: int, j: int) -> float:
    """Return 1 if output j, which is the entry `at`, is the cut point above the class of its row, else 0."""
    found: float = y[at] - y[at - 1] if j > 0 else y[at]
    return found


@device
def is_lower(y: Floats, at: int, j: int, n: int) -> float:
    """Return 1 if output j, which is the entry `at`, is the cut point below the class of its row, else 0."""
    found: float = y[at + 1] - y[at] if j + 1 < n else real(1) - y[at]
    return found


@kernel
def ordinal(lo: int, hi: int, losses: Floats, slope: Floats, y_hat: Floats, y: Floats, n: int, least: float) -> None:
    """Compute -ln(p) and -d / p for the rows lo to hi, with p at least `least`; see `Ordinal`."""
    for i in range(lo, hi):
        p: float = real(0)
        for j in range(n):
            at = i * n + j
            slope[at] = is_upper(y, at, j) - is_lower(y, at, j, n)
            p += slope[at] * y_hat[at]
        p = p - y[i * n + n - 1] + real(1)
        counts = real(1) if p > least else real(0)
        p = least if p < least else p
        losses[i] = -log(p)
        for j in range(i * n, i * n + n):
            slope[j] *= -(counts / p)


@kernel
def ordinal_of_logits(
    lo: int, hi: int, losses: Floats, slope: Floats, z: Floats, y: Floats, n: int, least: float
) -> None:
    """Compute -ln(p) and its slope by z for the rows lo to hi; see `Ordinal.forward_logits`."""
    for i in range(lo, hi):
        distance: float = real(0)
        loss: float = real(0)
        for j in range(n):
            at = i * n + j
            upper, lower = is_upper(y, at, j), is_lower(y, at, j, n)
            distance += (upper - lower) * z[at]
            loss += (upper + lower) * softplus(z[at]) - upper * z[at]
        inside = y[i * n + n - 1] - y[i * n]
        apart = inside if distance > least else real(0)
        distance = least if distance < least else distance
        share = -expm1(-distance)
        losses[i] = loss - inside * log(share)
        e = exp(-distance) / share * apart
        for j in range(n):
            at = i * n + j
            upper, lower = is_upper(y, at, j), is_lower(y, at, j, n)
            slope[at] = (upper + lower) * sigmoid(z[at]) - upper - (upper - lower) * e


@loss_twin("Ordinal")
def _ordinal(loss: Ordinal, y_hat: Array, y: Array, recorder: Recorder) -> tuple[Array, LossBackward]:
    (rows, n), slope = y_hat.shape, recorder.empty(y_hat.shape)
    losses = recorder.empty((rows,))
    recorder.record(ordinal, rows, losses, slope, y_hat, y, n, margin(y_hat), each=n)
    return losses, times_counts(slope, recorder)


@loss_twin("Ordinal", logits=True)
def _ordinal_of_logits(loss: Ordinal, z: Array, y: Array, recorder: Recorder) -> tuple[Array, LossBackward]:
    (rows, n), slope = z.shape, recorder.empty(z.shape)
    losses = recorder.empty((rows,))
    recorder.record(ordinal_of_logits, rows, losses, slope, z, y, n, margin(z), each=n)
    return losses, times_counts(slope, recorder)
