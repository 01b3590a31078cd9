"""The twins of optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.intrinsics import square_root
from nnfs_cli.system.machine_code.kernel import Doubles, Floats, Ints, kernel, real
from nnfs_cli.training.compiled.functions import sign
from nnfs_cli.training.compiled.recorder import Recorder, key
from nnfs_cli.training.optimizers import Stepper

if TYPE_CHECKING:
    from nnfs_cli.training.optimizers.adagrad import Adagrad
    from nnfs_cli.training.optimizers.adam import Adam
    from nnfs_cli.training.optimizers.lion import Lion
    from nnfs_cli.training.optimizers.nadam import NAdam
    from nnfs_cli.training.optimizers.rmsprop import RMSprop
    from nnfs_cli.training.optimizers.sgd import SGD


class Numbers(NamedTuple):
    """Where a kernel finds the numbers of a step: its row of `table` (steps, columns), which is `step[0]`."""

    step: Array
    table: Array
    columns: int

    def column(self, j: int) -> tuple[Array, Array, int, int]:
        """Return the operands by which a kernel reads the numbers from column j on."""
        return self.step, self.table, self.columns, j


class OptimizerTwin(NamedTuple):
    """The twin of an optimizer's step.

    `numbers(optimizer, state, lr)` returns the numbers of the next steps, (steps, k), for their learning rates
    (steps,), and counts the steps in the state. `record(optimizer, w, g, state, operands, recorder)` records the step
    of one member; `operands` say where its numbers are.
    """

    numbers: Callable[[Any, dict[str, Array], Array], Array]
    record: Callable[[Any, Array, Array, dict[str, Array], tuple[Any, ...], Recorder], None]


_TWINS: dict[str, OptimizerTwin] = {}


def has_optimizer_twin(optimizer: Stepper) -> bool:
    """Return whether an optimizer has a twin."""
    return key(optimizer) in _TWINS


def optimizer_twin_of(optimizer: Stepper) -> OptimizerTwin:
    """Return the twin of an optimizer that has one."""
    return _TWINS[key(optimizer)]


@kernel
def sgd(lo: int, hi: int, w: Floats, g: Floats, step: Ints, numbers: Doubles, columns: int, first: int) -> None:
    """Compute w <- w - lr · g."""
    lr = real(numbers[step[0] * columns + first])
    for i in range(lo, hi):
        w[i] -= lr * g[i]


@kernel
def momentum(
    lo: int, hi: int, w: Floats, g: Floats, velocity: Floats, keep: float,
    step: Ints, numbers: Doubles, columns: int, first: int,
) -> None:  # fmt: skip
    """Make the step of `SGD.step` with momentum."""
    lr = real(numbers[step[0] * columns + first])
    for i in range(lo, hi):
        velocity[i] = velocity[i] * keep + g[i]
        w[i] -= velocity[i] * lr


@kernel
def nesterov(
    lo: int, hi: int, w: Floats, g: Floats, velocity: Floats, keep: float,
    step: Ints, numbers: Doubles, columns: int, first: int,
) -> None:  # fmt: skip
    """Make the step of `SGD.step` with momentum that looks ahead."""
    lr = real(numbers[step[0] * columns + first])
    for i in range(lo, hi):
        velocity[i] = velocity[i] * keep + g[i]
        w[i] = (w[i] - g[i] * lr) - (velocity[i] * keep) * lr


def _only_lr(optimizer: Stepper, state: dict[str, Array], lr: Array) -> Array:
    return lr[:, None]


def _record_sgd(optimizer: SGD, w: Array, g: Array, state: dict[str, Array], numbers: Any, recorder: Recorder) -> None:
    if optimizer.momentum:
        made = nesterov if optimizer.nesterov else momentum
        recorder.record(made, w.size, w, g, state["velocity"], optimizer.momentum, *numbers, each=1)
    else:
        recorder.record(sgd, w.size, w, g, *numbers, each=1)


@kernel
def rmsprop(
    lo: int, hi: int, w: Floats, g: Floats, v: Floats, keep: float, new: float, eps: float,
    step: Ints, numbers: Doubles, columns: int, first: int,
) -> None:  # fmt: skip
    """Make the step of `RMSprop.step`, or that of `Adagrad.step` with `keep` and `new` 1."""
    lr = real(numbers[step[0] * columns + first])
    for i in range(lo, hi):
        square = v[i] * keep + g[i] * g[i] * new
        v[i] = square
        w[i] -= g[i] / (square_root(square) + eps) * lr


def _record_rmsprop(
    optimizer: RMSprop, w: Array, g: Array, state: dict[str, Array], numbers: Any, recorder: Recorder
) -> None:
    share = float(optimizer.alpha)
    recorder.record(rmsprop, w.size, w, g, state["v"], share, 1 - share, optimizer.eps, *numbers, each=1)


def _record_adagrad(
    optimizer: Adagrad, w: Array, g: Array, state: dict[str, Array], numbers: Any, recorder: Recorder
) -> None:
    recorder.record(rmsprop, w.size, w, g, state["s"], 1.0, 1.0, optimizer.eps, *numbers, each=1)


@kernel
def lion(
    lo: int, hi: int, w: Floats, g: Floats, m: Floats, new1: float, new2: float,
    step: Ints, numbers: Doubles, columns: int, first: int,
) -> None:  # fmt: skip
    """Make the step of `Lion.step`."""
    lr = real(numbers[step[0] * columns + first])
    for i in range(lo, hi):
        difference = g[i] - m[i]
        w[i] -= sign(difference * new1 + m[i]) * lr
        m[i] += difference * new2


def _record_lion(
    optimizer: Lion, w: Array, g: Array, state: dict[str, Array], numbers: Any, recorder: Recorder
) -> None:
    recorder.record(lion, w.size, w, g, state["m"], 1 - optimizer.beta1, 1 - optimizer.beta2, *numbers, each=1)


@kernel
def adam(
    lo: int, hi: int, w: Floats, g: Floats, m: Floats, v: Floats,
    step: Ints, numbers: Doubles, columns: int, first: int,
) -> None:  # fmt: skip
    """Make the step of `Adam.step`."""
    at = step[0] * columns + first
    ratio, new1, keep2, new2 = real(numbers[at]), real(numbers[at + 1]), real(numbers[at + 2]), real(numbers[at + 3])
    eps, rate = real(numbers[at + 4]), real(numbers[at + 5])
    for i in range(lo, hi):
        mean = (m[i] * ratio + g[i]) * new1
        square = v[i] * keep2 + g[i] * g[i] * new2
        m[i] = mean
        v[i] = square
        w[i] -= mean / (square_root(square) + eps) * rate


def _adam_numbers(optimizer: Adam, state: dict[str, Array], lr: Array) -> Array:
    t = int(state["t"]) + np.arange(1, len(lr) + 1)
    state["t"] += len(lr)
    new1, root = 1 - optimizer.beta1, np.sqrt(1 - optimizer.beta2**t)
    found = np.empty((len(lr), 6))
    found[:, :4] = optimizer.beta1 / new1, new1, optimizer.beta2, 1 - optimizer.beta2
    found[:, 4] = optimizer.eps * root
    found[:, 5] = lr * root / (1 - optimizer.beta1**t)
    return found


def _record_adam(
    optimizer: Adam, w: Array, g: Array, state: dict[str, Array], numbers: Any, recorder: Recorder
) -> None:
    recorder.record(adam, w.size, w, g, state["m"], state["v"], *numbers, each=1)


@kernel
def nadam(
    lo: int, hi: int, w: Floats, g: Floats, m: Floats, v: Floats,
    keep1: float, new1: float, keep2: float, new2: float, eps: float,
    step: Ints, numbers: Doubles, columns: int, first: int,
) -> None:  # fmt: skip
    """Make the step of `NAdam.step`."""
    at = step[0] * columns + first
    of_g, of_m, root = real(numbers[at]), real(numbers[at + 1]), real(numbers[at + 2])
    for i in range(lo, hi):
        mean = m[i] * keep1 + g[i] * new1
        square = v[i] * keep2 + g[i] * g[i] * new2
        m[i] = mean
        v[i] = square
        w[i] -= (g[i] * of_g + mean * of_m) / (square_root(square) * root + eps)


def _nadam_numbers(optimizer: NAdam, state: dict[str, Array], lr: Array) -> Array:
    t = int(state["t"]) + np.arange(1, len(lr) + 2)
    momenta = optimizer.beta1 * (1 - 0.96 ** (t * optimizer.momentum_decay) / 2)
    now, ahead = momenta[:-1], momenta[1:]
    products = np.cumprod([float(state["product"]), *now])
    state["t"] += len(lr)
    state["product"][...] = products[-1]
    product = products[1:]
    of_g, of_m = lr * (1 - now) / (1 - product), lr * ahead / (1 - product * ahead)
    return np.stack([of_g, of_m, 1 / np.sqrt(1 - optimizer.beta2 ** t[:-1])], axis=1)


def _record_nadam(
    optimizer: NAdam, w: Array, g: Array, state: dict[str, Array], numbers: Any, recorder: Recorder
) -> None:
    shares = float(optimizer.beta1), 1 - optimizer.beta1, float(optimizer.beta2), 1 - optimizer.beta2
    recorder.record(nadam, w.size, w, g, state["m"], state["v"], *shares, optimizer.eps, *numbers, each=1)


_TWINS["SGD"] = OptimizerTwin(_only_lr, _record_sgd)
_TWINS["RMSprop"] = OptimizerTwin(_only_lr, _record_rmsprop)
_TWINS["Adagrad"] = OptimizerTwin(_only_lr, _record_adagrad)
_TWINS["Lion"] = OptimizerTwin(_only_lr, _record_lion)
_TWINS["Adam"] = _TWINS["AdamW"] = OptimizerTwin(_adam_numbers, _record_adam)
_TWINS["NAdam"] = OptimizerTwin(_nadam_numbers, _record_nadam)
