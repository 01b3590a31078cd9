"""The twins of optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.intrinsics import square_root
from nnfs_cli.system.machine_code.kernel import Doubles, Floats, Ints, kernel, real
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.optimizers.adamw import AdamW
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


_TWINS: dict[type[Stepper], OptimizerTwin] = {}


def has_optimizer_twin(optimizer: Stepper) -> bool:
    """Return whether an optimizer has a twin."""
    return type(optimizer) in _TWINS


def optimizer_twin_of(optimizer: Stepper) -> OptimizerTwin:
    """Return the twin of an optimizer that has one."""
    return _TWINS[type(optimizer)]


@kernel
def sgd(lo: int, hi: int, w: Floats, g: Floats, step: Ints, numbers: Doubles, columns: int, first: int) -> None:
    """Compute w <- w - lr · g."""
    lr = real(numbers[step[0] * columns + first])
    for i in range(lo, hi):
        w[i] -= lr * g[i]


def _sgd_numbers(optimizer: SGD, state: dict[str, Array], lr: Array) -> Array:
    return lr[:, None]


def _record_sgd(optimizer: SGD, w: Array, g: Array, state: dict[str, Array], numbers: Any, recorder: Recorder) -> None:
    recorder.record(sgd, w.size, w, g, *numbers)


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
    recorder.record(adam, w.size, w, g, state["m"], state["v"], *numbers)


_TWINS[SGD] = OptimizerTwin(_sgd_numbers, _record_sgd)
_TWINS[Adam] = _TWINS[AdamW] = OptimizerTwin(_adam_numbers, _record_adam)
