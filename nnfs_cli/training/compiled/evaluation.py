"""Loss and outputs of a net for rows that are evaluated after each epoch, in compiled code."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from itertools import pairwise, starmap

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.model import SHARED_NUMBERS, Model
from nnfs_cli.system.helpers import do_together
from nnfs_cli.system.machine_code.kernel import Doubles, Floats, Ints, kernel
from nnfs_cli.system.threads import allowed_threads
from nnfs_cli.training.compiled.losses import loss_twin_of
from nnfs_cli.training.compiled.passes import Rows, recordable
from nnfs_cli.training.compiled.program import Machine
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.compiled.rows import weighted_sum

MOST_KNOWN = 2  # such as validation rows and training rows


@kernel
def put_rows(lo: int, hi: int, rows: Floats, x: Floats, n: int, starts: Ints, step: Ints) -> None:
    """Copy x (batch, n) to the place of this step among all rows; lo to hi are places in the batch."""
    first = starts[step[0]]
    for i in range(lo, hi):
        for j in range(n):
            rows[(first + i) * n + j] = x[i * n + j]


@kernel
def sum_losses(lo: int, hi: int, totals: Doubles, step: Ints, losses: Floats, weights: Floats, n: int) -> None:
    """Write the sum of n losses · weights, finite or not, as that of the step. The axis has length 1."""
    for _ in range(lo, hi):
        totals[step[0]] = weighted_sum(losses, weights, n)


class Evaluator:
    """What `Model.evaluate` needs for rows that come again and again, such as validation rows, within rounding.

    Programs are made for the first few arrays, which they keep alive; for others, and for arrays that kernels cannot
    read, the evaluator returns None.
    """

    def __init__(self, model: Model) -> None:
        self._model, self._lock = model, threading.Lock()
        self._known: dict[tuple[int, ...], _Rows] = {}

    def __call__(self, X: Array, y: Array, weight: Array | None) -> tuple[float, Array] | None:
        """Return the sum of the rows' losses · weight, and the outputs (rows, *output_shape)."""
        key = id(X), id(y), id(weight)
        with self._lock:
            if key not in self._known:
                if len(self._known) == MOST_KNOWN or not all(map(self._readable, (X, y, weight))):
                    return None
                self._known[key] = _Rows(self._model, X, y, weight)
            return self._known[key].evaluate()

    def _readable(self, array: Array | None) -> bool:
        if array is None:
            return True
        return bool(array.size and array.dtype == self._model.dtype and array.flags.carray)


class _Rows:
    """The programs that evaluate some rows: each block of rows is a step, for each member."""

    def __init__(self, model: Model, X: Array, y: Array, weight: Array | None) -> None:
        n, members, size = len(X), model.members, model.rows_of_pass
        self._model, self._y, self._weight = model, y, weight
        self._starts = np.array([*range(0, n, size), n], np.int64)
        self._rows = Rows(X, y, weight, np.arange(n), self._starts)
        self._outputs = np.zeros((members, n, *model.output_shape), model.dtype)
        self._totals, self._context = np.zeros(len(self._starts) - 1), Context(model.dtype)
        sizes = np.diff(self._starts).tolist()
        kinds = list(dict.fromkeys(sizes))
        which = np.array([*map(kinds.index, sizes)])
        # Threads share the members, or the blocks of a single net. Each thread has its own buffers.
        lanes = min(members if members > 1 else len(sizes), allowed_threads())
        lanes = lanes if n * model.numbers_per_row >= SHARED_NUMBERS else 1
        self._parts = recordable(model.body), recordable(model.activation)
        self._shares: list[list[tuple[Machine, int, int]]] = []
        for lane in range(lanes):
            recorder = Recorder(model.dtype, training=False)
            own = range(lane, members, lanes) if members > 1 else [0]
            lo, hi = (len(sizes) * i // lanes for i in (lane, lane + 1)) if members == 1 else (0, len(sizes))
            self._shares.append([(self._machine(j, kinds, which, recorder), lo, hi) for j in own])

    def _machine(self, j: int, kinds: Sequence[int], which: Array, recorder: Recorder) -> Machine:
        """Return the programs of a member, for blocks of so many rows."""
        machine = Machine(self._model.dtype, which)
        for n in kinds:
            self._record(j, n, machine.step, recorder)
            machine.add(recorder.taken())
        return machine

    def _record(self, j: int, n: int, step: Array, recorder: Recorder) -> None:
        """Record what a member does with a block of n rows."""
        model, rows, (net, activation) = self._model, self._rows, self._parts
        p = model.parameters.layout.views(model.parameters.vector.reshape(model.members, -1)[j])
        recorder.begin(n)
        z, _ = net.forward(p, rows.record(rows.X, n, step, recorder), recorder)
        if model.members == 1:
            y = rows.record(rows.y, n, step, recorder)
            weight = recorder.ones(n) if rows.weight is None else rows.record(rows.weight, n, step, recorder)
            losses, _ = loss_twin_of(model.loss, model.fused)(model.loss, z, y, recorder)
            recorder.record(sum_losses, 1, self._totals, step, losses, weight, n)
        y_hat, _ = activation.forward(p, z, recorder)
        recorder.record(put_rows, n, self._outputs[j], y_hat, y_hat.size // n, rows.starts, step)

    def evaluate(self) -> tuple[float, Array]:
        """Return the sum of the rows' losses · weight, and the outputs (rows, *output_shape)."""
        if len(self._shares) > 1:
            do_together([partial(_run, share) for share in self._shares])
        else:
            _run(self._shares[0])
        if self._model.members == 1:
            return float(self._totals.sum()), self._outputs[0].copy()
        y_hat: Array = np.add.reduce(self._outputs) / self._model.members
        return sum(starmap(partial(self._loss_of_block, y_hat), pairwise(self._starts.tolist()))), y_hat

    def _loss_of_block(self, y_hat: Array, start: int, end: int) -> float:
        """Return the sum of the losses · weight of the mean outputs of all members for some rows."""
        self._context.begin(end - start)
        losses = self._model.loss.forward(y_hat[start:end], self._y[start:end], self._context)[0]
        weight = None if self._weight is None else self._weight[start:end]
        return float(losses.sum(dtype=np.float64) if weight is None else losses.astype(np.float64) @ weight)


def _run(share: Sequence[tuple[Machine, int, int]]) -> None:
    for machine, lo, hi in share:
        machine.run(lo, hi)
