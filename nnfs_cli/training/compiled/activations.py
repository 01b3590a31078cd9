"""The twins of layers that work entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.system.machine_code.kernel import Floats, Kernel, kernel, real
from nnfs_cli.training.compiled.functions import exp, expm1
from nnfs_cli.training.compiled.functions import sigmoid as sigmoid_of
from nnfs_cli.training.compiled.functions import softplus as softplus_of
from nnfs_cli.training.compiled.functions import tanh as tanh_of
from nnfs_cli.training.compiled.recorder import Recorder, twin

Settings = Callable[[Any], tuple[float, ...]]  # the numbers of a layer that its kernels take


def entrywise(
    kind: str, forward: Kernel, back: Kernel, *, of_output: bool, settings: Settings = lambda layer: ()
) -> None:
    """Declare the twin of a layer whose kernels are forward(y, x, ...) and back(dx, dy, x or y, ...)."""

    @twin(kind)
    def record(layer: Any, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
        y, numbers = recorder.empty(x.shape), settings(layer)
        recorder.record(forward, x.size, y, x, *numbers, each=1)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dx = recorder.empty(x.shape)
            recorder.record(back, x.size, dx, dy, y if of_output else x, *numbers, each=1)
            return dx

        return y, backward


@kernel
def relu(lo: int, hi: int, y: Floats, x: Floats) -> None:
    """Compute y = max(x, 0); nan stays nan, so that the step is found to have diverged."""
    for i in range(lo, hi):
        y[i] = real(0) if x[i] < real(0) else x[i]


@kernel
def relu_back(lo: int, hi: int, dx: Floats, dy: Floats, y: Floats) -> None:
    """Compute dx = dy where y > 0, else 0."""
    for i in range(lo, hi):
        dx[i] = dy[i] if y[i] > real(0) else real(0)


@kernel
def leaky_relu(lo: int, hi: int, y: Floats, x: Floats, slope: float) -> None:
    """Compute y = x for x > 0, else slope · x."""
    for i in range(lo, hi):
        y[i] = x[i] if x[i] > real(0) else slope * x[i]


@kernel
def leaky_relu_back(lo: int, hi: int, dx: Floats, dy: Floats, x: Floats, slope: float) -> None:
    """Compute dx = dy where x > 0, else slope · dy."""
    for i in range(lo, hi):
        dx[i] = dy[i] if x[i] > real(0) else slope * dy[i]


@kernel
def elu(lo: int, hi: int, y: Floats, x: Floats, scale: float, depth: float) -> None:
    """Compute y = scale · x for x > 0, else depth · (exp(x) - 1)."""
    for i in range(lo, hi):
        y[i] = scale * x[i] if x[i] > real(0) else depth * expm1(x[i])


@kernel
def elu_back(lo: int, hi: int, dx: Floats, dy: Floats, y: Floats, scale: float, depth: float) -> None:
    """Compute dx = scale · dy where y > 0, else depth · exp(x) · dy, which is (y + depth) dy."""
    for i in range(lo, hi):
        dx[i] = dy[i] * (scale if y[i] > real(0) else y[i] + depth)


@kernel
def sigmoid(lo: int, hi: int, y: Floats, x: Floats) -> None:
    """Compute y = 1 / (1 + exp(-x))."""
    for i in range(lo, hi):
        y[i] = sigmoid_of(x[i])


@kernel
def sigmoid_back(lo: int, hi: int, dx: Floats, dy: Floats, y: Floats) -> None:
    """Compute dx = y (1 - y) dy."""
    for i in range(lo, hi):
        dx[i] = (real(1) - y[i]) * y[i] * dy[i]


@kernel
def tanh(lo: int, hi: int, y: Floats, x: Floats) -> None:
    """Compute the hyperbolic tangent."""
    for i in range(lo, hi):
        y[i] = tanh_of(x[i])


@kernel
def tanh_back(lo: int, hi: int, dx: Floats, dy: Floats, y: Floats) -> None:
    """Compute dx = (1 - y²) dy."""
    for i in range(lo, hi):
        dx[i] = (real(1) - y[i] * y[i]) * dy[i]


@kernel
def exponential(lo: int, hi: int, y: Floats, x: Floats) -> None:
    """Compute y = exp(x)."""
    for i in range(lo, hi):
        y[i] = exp(x[i])


@kernel
def exponential_back(lo: int, hi: int, dx: Floats, dy: Floats, y: Floats) -> None:
    """Compute dx = y dy."""
    for i in range(lo, hi):
        dx[i] = y[i] * dy[i]


@kernel
def softplus(lo: int, hi: int, y: Floats, x: Floats) -> None:
    """Compute y = ln(1 + exp(x))."""
    for i in range(lo, hi):
        y[i] = softplus_of(x[i])


@kernel
def softplus_back(lo: int, hi: int, dx: Floats, dy: Floats, x: Floats) -> None:
    """Compute dx = sigmoid(x) dy."""
    for i in range(lo, hi):
        dx[i] = sigmoid_of(x[i]) * dy[i]


def _of_selu(layer: Layer) -> tuple[float, ...]:
    from nnfs_cli.nn.layers.selu import ALPHA, SCALE

    return SCALE, SCALE * ALPHA


entrywise("ReLU", relu, relu_back, of_output=True)
entrywise("LeakyReLU", leaky_relu, leaky_relu_back, of_output=False, settings=lambda layer: (float(layer.slope),))
entrywise("ELU", elu, elu_back, of_output=True, settings=lambda layer: (1.0, float(layer.alpha)))
entrywise("SELU", elu, elu_back, of_output=True, settings=_of_selu)
entrywise("Sigmoid", sigmoid, sigmoid_back, of_output=True)
entrywise("Tanh", tanh, tanh_back, of_output=True)
entrywise("Exp", exponential, exponential_back, of_output=True)
entrywise("Softplus", softplus, softplus_back, of_output=False)
