"""The twins of layers that multiply each entry by a share between 0 and 1: y = x · share."""

from __future__ import annotations

import math
from typing import Any

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.kernel import Floats, Kernel, kernel, real
from nnfs_cli.training.compiled.functions import exp, normal_cdf, sigmoid, tanh
from nnfs_cli.training.compiled.recorder import Recorder, twin

BEND = 0.044715  # of the approximation of Φ by tanh
ROOT_2_OVER_PI, ROOT_8_OVER_PI, ONE_OVER_ROOT_2_PI = (math.sqrt(x) for x in (2 / math.pi, 8 / math.pi, 0.5 / math.pi))


@kernel
def silu(lo: int, hi: int, y: Floats, share: Floats, x: Floats) -> None:
    """Compute y = x · sigmoid(x)."""
    for i in range(lo, hi):
        share[i] = sigmoid(x[i])
        y[i] = x[i] * share[i]


@kernel
def silu_back(lo: int, hi: int, dx: Floats, dy: Floats, x: Floats, share: Floats) -> None:
    """Compute dx = (share + y (1 - share)) dy."""
    for i in range(lo, hi):
        dx[i] = ((real(1) - share[i]) * (x[i] * share[i]) + share[i]) * dy[i]


@kernel
def gelu(lo: int, hi: int, y: Floats, share: Floats, x: Floats) -> None:
    """Compute y = x Φ(x)."""
    for i in range(lo, hi):
        share[i] = normal_cdf(x[i])
        y[i] = x[i] * share[i]


@kernel
def gelu_back(lo: int, hi: int, dx: Floats, dy: Floats, x: Floats, share: Floats) -> None:
    """Compute dx = (Φ(x) + x Φ'(x)) dy."""
    for i in range(lo, hi):
        density = exp(x[i] * x[i] * real(-0.5)) * real(ONE_OVER_ROOT_2_PI)
        dx[i] = (x[i] * density + share[i]) * dy[i]


@kernel
def gelu_by_tanh(lo: int, hi: int, y: Floats, share: Floats, x: Floats) -> None:
    """Compute y = x Φ(x) with Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2."""
    for i in range(lo, hi):
        bent = (x[i] * x[i] * real(BEND) + real(1)) * x[i]
        share[i] = (tanh(bent * real(ROOT_2_OVER_PI)) + real(1)) * real(0.5)
        y[i] = x[i] * share[i]


@kernel
def gelu_by_tanh_back(lo: int, hi: int, dx: Floats, dy: Floats, x: Floats, share: Floats) -> None:
    """Compute dx = (Φ + x Φ') dy with Φ' = 2 Φ (1 - Φ) √(2/π) (1 + 3 · 0.044715 x²)."""
    for i in range(lo, hi):
        bend = x[i] * x[i] * real(3 * BEND) + real(1)
        density = (real(1) - share[i]) * share[i] * bend * real(ROOT_8_OVER_PI)
        dx[i] = (x[i] * density + share[i]) * dy[i]


def _kernels(layer: Any) -> tuple[Kernel, Kernel]:
    if layer.name == "gelu":
        return (gelu, gelu_back) if layer.form == "exact" else (gelu_by_tanh, gelu_by_tanh_back)
    return silu, silu_back


@twin("GELU", "SiLU")
def _gate(layer: Any, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    forward, back = _kernels(layer)
    y, share = recorder.empty(x.shape), recorder.empty(x.shape)
    recorder.record(forward, x.size, y, share, x, each=1)

    def backward(dy: Array, g: Views, need_dx: bool) -> Array:
        dx = recorder.empty(x.shape)
        recorder.record(back, x.size, dx, dy, x, share, each=1)
        return dx

    return y, backward
