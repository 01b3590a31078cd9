"""The twins of losses for classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.cross_entropy import margin
from nnfs_cli.system.machine_code.kernel import Floats, kernel, real
from nnfs_cli.training.compiled.functions import exp, expm1, log, log1p, power, sigmoid, sign, softplus, within
from nnfs_cli.training.compiled.losses import LossBackward, loss_by_entry, loss_twin, times_counts, weighted
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.compiled.rows import row_dot, row_max, row_sum

if TYPE_CHECKING:
    from nnfs_cli.nn.losses.binary_focal import BinaryFocal
    from nnfs_cli.nn.losses.focal import Focal, Focused
    from nnfs_cli.nn.losses.hinge import Hinge

Result = tuple[Array, LossBackward]


@kernel
def binary(lo: int, hi: int, each: Floats, slope: Floats, y_hat: Floats, y: Floats, least: float) -> None:
    """Compute -(y ln(p) + (1 - y) ln(1 - p)) and its slope, with p = y_hat, at least `least` away from 0 and 1."""
    for i in range(lo, hi):
        p = within(y_hat[i], least, real(1) - least)
        slope[i] = (p - y[i]) / ((real(1) - p) * p)
        each[i] = -(y[i] * log(p) + (real(1) - y[i]) * log1p(-p))


@kernel
def binary_of_logits(lo: int, hi: int, each: Floats, slope: Floats, z: Floats, y: Floats) -> None:
    """Compute ln(1 + exp(z)) - y z and sigmoid(z) - y."""
    for i in range(lo, hi):
        slope[i] = sigmoid(z[i]) - y[i]
        each[i] = softplus(z[i]) - y[i] * z[i]


@kernel
def categorical(lo: int, hi: int, each: Floats, slope: Floats, y_hat: Floats, y: Floats, least: float) -> None:
    """Compute -y ln(p) and -y / p, with p = y_hat, at least `least`."""
    for i in range(lo, hi):
        p = least if y_hat[i] < least else y_hat[i]
        slope[i] = -y[i] / p
        each[i] = -y[i] * log(p)


@kernel
def categorical_of_logits(
    lo: int, hi: int, losses: Floats, slope: Floats, totals: Floats, z: Floats, y: Floats, n: int
) -> None:
    """Compute ln Σ_j exp(z_j) - Σ_i y_i z_i and softmax(z) - y for the rows lo to hi."""
    for i in range(lo, hi):
        highest = row_max(z, i * n, n)
        for j in range(i * n, i * n + n):
            slope[j] = z[j] - highest
        losses[i] = row_dot(y, slope, i * n, n)
    for j in range(lo * n, hi * n):
        slope[j] = exp(slope[j])
    for i in range(lo, hi):
        totals[i] = row_sum(slope, i * n, n)
        share = real(1) / totals[i]
        for j in range(i * n, i * n + n):
            slope[j] = slope[j] * share - y[j]
    for i in range(lo, hi):
        losses[i] = log(totals[i]) - losses[i]


@loss_twin("BinaryCrossEntropy")
def _binary(loss: Loss, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    share = 1.0 / y_hat.shape[1]
    return loss_by_entry(binary, y_hat, y, recorder, margin(y_hat), factor=share, slope_factor=share)


@loss_twin("BinaryCrossEntropy", logits=True)
def _binary_of_logits(loss: Loss, z: Array, y: Array, recorder: Recorder) -> Result:
    share = 1.0 / z.shape[1]
    return loss_by_entry(binary_of_logits, z, y, recorder, factor=share, slope_factor=share)


@loss_twin("CrossEntropy")
def _categorical(loss: Loss, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    return loss_by_entry(categorical, y_hat, y, recorder, margin(y_hat), factor=1.0, slope_factor=1.0)


@loss_twin("CrossEntropy", logits=True)
def _categorical_of_logits(loss: Loss, z: Array, y: Array, recorder: Recorder) -> Result:
    rows, n = z.shape
    losses, totals, slope = recorder.empty((rows,)), recorder.empty((rows,)), recorder.empty(z.shape)
    recorder.record(categorical_of_logits, rows, losses, slope, totals, z, y, n, each=n)
    return losses, times_counts(slope, recorder)


@kernel
def focus(lo: int, hi: int, losses: Floats, slope: Floats, entropy: Floats, gamma: float, tiny: float) -> None:
    """Compute q^gamma u and its slope q^gamma (1 + gamma u p / q) for the entropy u, with p = exp(-u) and q = 1 - p."""
    for i in range(lo, hi):
        u = entropy[i]
        q = -expm1(-u)
        q = tiny if q < tiny else q
        factor = q * q if gamma == real(2) else power(q, gamma)
        losses[i] = factor * u
        slope[i] = factor * u / q * exp(-u) * gamma + factor


def _focused(loss: Focused, entropy: Array, backward: LossBackward, recorder: Recorder) -> Result:
    losses, slope = recorder.empty(entropy.shape), recorder.empty(entropy.shape)
    tiny = float(np.finfo(recorder.dtype).tiny)
    recorder.record(focus, entropy.size, losses, slope, entropy, float(loss.gamma), tiny, each=1)

    def focused_backward(counts: Array) -> Array:
        product = recorder.empty(counts.shape)
        recorder.record(weighted, counts.size, product, slope, counts, 1, 1.0)
        return backward(product)

    return losses, focused_backward


@loss_twin("BinaryFocal")
def _binary_focal(loss: BinaryFocal, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    return _focused(loss, *_binary(loss, y_hat, y, recorder), recorder)


@loss_twin("BinaryFocal", logits=True)
def _binary_focal_of_logits(loss: BinaryFocal, z: Array, y: Array, recorder: Recorder) -> Result:
    return _focused(loss, *_binary_of_logits(loss, z, y, recorder), recorder)


@loss_twin("Focal")
def _focal(loss: Focal, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    return _focused(loss, *_categorical(loss, y_hat, y, recorder), recorder)


@loss_twin("Focal", logits=True)
def _focal_of_logits(loss: Focal, z: Array, y: Array, recorder: Recorder) -> Result:
    return _focused(loss, *_categorical_of_logits(loss, z, y, recorder), recorder)


@kernel
def hinge(
    lo: int, hi: int, losses: Floats, slope: Floats, z: Floats, y: Floats, n: int, low: float, squared: int
) -> None:
    """Compute max(0, 1 + d · z) and its slope d where it is above 0, for the rows lo to hi; see `Hinge`.

    `low` is so far below all scores that y · low + z is highest at a wrong class. If squared is 1, both are squared.
    """
    for i in range(lo, hi):
        highest, place = -real(np.inf), -1
        for j in range(n):
            score = y[i * n + j] * low + z[i * n + j]
            place = j if score > highest else place
            highest = score if score > highest else highest
        place = place if n > 1 else -1
        lack = real(1)
        for j in range(n):
            direction = real(1) if j == place else -y[i * n + j]
            slope[i * n + j] = direction
            lack += direction * z[i * n + j]
        lack = real(0) if lack < real(0) else lack
        factor = real(2) * lack if squared else sign(lack)
        losses[i] = lack * lack if squared else lack
        for j in range(i * n, i * n + n):
            slope[j] *= factor


@loss_twin("Hinge")
def _hinge(loss: Hinge, z: Array, y: Array, recorder: Recorder) -> Result:
    rows, n = z.shape
    losses, slope = recorder.empty((rows,)), recorder.empty(z.shape)
    low = float(np.finfo(recorder.dtype).min) / 2
    recorder.record(hinge, rows, losses, slope, z, y, n, low, int(loss.squared))
    return losses, times_counts(slope, recorder)
