"""The twins of losses for numbers. Each kernel writes the loss of an entry, and its slope by the output."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.losses.cross_entropy import margin
from nnfs_cli.system.machine_code.kernel import Floats, kernel, real
from nnfs_cli.training.compiled.functions import exp, log, log1p, sign, tanh, within
from nnfs_cli.training.compiled.losses import LossBackward, loss_by_entry, loss_twin, summed
from nnfs_cli.training.compiled.recorder import Recorder

if TYPE_CHECKING:
    from nnfs_cli.nn.losses.gamma import Gamma
    from nnfs_cli.nn.losses.huber import Huber
    from nnfs_cli.nn.losses.log_cosh import LogCosh
    from nnfs_cli.nn.losses.mae import MAE
    from nnfs_cli.nn.losses.mse import MSE
    from nnfs_cli.nn.losses.poisson import Poisson
    from nnfs_cli.nn.losses.quantile import Quantile

LN2 = math.log(2)

Result = tuple[Array, LossBackward]


@kernel
def squared(lo: int, hi: int, each: Floats, slope: Floats, y_hat: Floats, y: Floats) -> None:
    """Compute e² and e for e = y_hat - y."""
    for i in range(lo, hi):
        error = y_hat[i] - y[i]
        slope[i] = error
        each[i] = error * error


@loss_twin("MSE")
def _mse(loss: MSE, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    factor = loss.factor / y.shape[-1]
    return loss_by_entry(squared, y_hat, y, recorder, factor=factor, slope_factor=2 * factor)


@kernel
def absolute(lo: int, hi: int, each: Floats, slope: Floats, y_hat: Floats, y: Floats) -> None:
    """Compute |e| and its sign for e = y_hat - y."""
    for i in range(lo, hi):
        error = y_hat[i] - y[i]
        slope[i] = sign(error)
        each[i] = abs(error)


@loss_twin("MAE")
def _mae(loss: MAE, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    return loss_by_entry(absolute, y_hat, y, recorder, factor=1 / y.shape[-1], slope_factor=1 / y.shape[-1])


@kernel
def huber(lo: int, hi: int, each: Floats, slope: Floats, y_hat: Floats, y: Floats, delta: float) -> None:
    """Compute c (e - c/2) and c, with e = y_hat - y and c = e clipped to ±delta."""
    for i in range(lo, hi):
        error = y_hat[i] - y[i]
        clipped = within(error, -delta, delta)
        slope[i] = clipped
        each[i] = clipped * (error - clipped * real(0.5))


@loss_twin("Huber")
def _huber(loss: Huber, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    share = 1 / y.shape[-1]
    return loss_by_entry(huber, y_hat, y, recorder, loss.delta, factor=share, slope_factor=share)


@kernel
def log_cosh(lo: int, hi: int, each: Floats, slope: Floats, y_hat: Floats, y: Floats) -> None:
    """Compute ln cosh(e) = |e| + ln(1 + exp(-2|e|)) - ln 2, and tanh(e), for e = y_hat - y."""
    for i in range(lo, hi):
        error = y_hat[i] - y[i]
        size = abs(error)
        slope[i] = tanh(error)
        each[i] = size + log1p(exp(real(-2) * size)) - real(LN2)


@loss_twin("LogCosh")
def _log_cosh(loss: LogCosh, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    return loss_by_entry(log_cosh, y_hat, y, recorder, factor=1 / y.shape[-1], slope_factor=1 / y.shape[-1])


@kernel
def pinball(lo: int, hi: int, each: Floats, slope: Floats, y_hat: Floats, y: Floats, levels: Floats, n: int) -> None:
    """Compute s e and s for e = y - y_hat in the rows lo to hi; s is the level where e >= 0, else the level - 1."""
    for i in range(lo, hi):
        for j in range(n):
            at = i * n + j
            error = y[at] - y_hat[at]
            slope[at] = levels[j] - (real(1) if error < real(0) else real(0))
            each[at] = slope[at] * error


@loss_twin("Quantile")
def _quantile(loss: Quantile, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    rows, n = y_hat.shape
    levels = np.tile(np.array(loss.levels, recorder.dtype), n // len(loss.levels))
    each, slope = recorder.empty(y_hat.shape), recorder.empty(y_hat.shape)
    recorder.record(pinball, rows, each, slope, y_hat, y, levels, n)
    return summed(each, slope, recorder, 1 / n, -1 / n)


@kernel
def poisson(lo: int, hi: int, each: Floats, slope: Floats, y_hat: Floats, y: Floats, least: float) -> None:
    """Compute p - y ln(p) and 1 - y / p, with p = y_hat, at least `least`."""
    for i in range(lo, hi):
        p = least if y_hat[i] < least else y_hat[i]
        slope[i] = real(1) - y[i] / p
        each[i] = p - y[i] * log(p)


@kernel
def poisson_of_logits(lo: int, hi: int, each: Floats, slope: Floats, z: Floats, y: Floats) -> None:
    """Compute exp(z) - y z and exp(z) - y."""
    for i in range(lo, hi):
        p = exp(z[i])
        slope[i] = p - y[i]
        each[i] = p - y[i] * z[i]


@kernel
def gamma(lo: int, hi: int, each: Floats, slope: Floats, y_hat: Floats, y: Floats, least: float) -> None:
    """Compute ln(p) + y / p and (1 - y / p) / p, with p = y_hat, at least `least`."""
    for i in range(lo, hi):
        p = least if y_hat[i] < least else y_hat[i]
        ratio = y[i] / p
        slope[i] = (real(1) - ratio) / p
        each[i] = log(p) + ratio


@kernel
def gamma_of_logits(lo: int, hi: int, each: Floats, slope: Floats, z: Floats, y: Floats) -> None:
    """Compute y exp(-z) + z and 1 - y exp(-z)."""
    for i in range(lo, hi):
        ratio = exp(-z[i]) * y[i]
        slope[i] = real(1) - ratio
        each[i] = ratio + z[i]


@loss_twin("Poisson", "Gamma")
def _of_outputs(loss: Poisson | Gamma, y_hat: Array, y: Array, recorder: Recorder) -> Result:
    forward, share = poisson if loss.name == "poisson" else gamma, 1 / y.shape[-1]
    return loss_by_entry(forward, y_hat, y, recorder, margin(y_hat), factor=share, slope_factor=share)


@loss_twin("Poisson", "Gamma", logits=True)
def _of_logits(loss: Poisson | Gamma, z: Array, y: Array, recorder: Recorder) -> Result:
    forward, share = poisson_of_logits if loss.name == "poisson" else gamma_of_logits, 1 / y.shape[-1]
    return loss_by_entry(forward, z, y, recorder, factor=share, slope_factor=share)
