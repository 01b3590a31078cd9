"""Record what happens inside a net while it is trained: statistics of its layers, and its weights, at some epochs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import pairwise
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from nnfs_cli.arrays import Array, all_finite, member_axes
from nnfs_cli.data.training_rows import BLOCK_ROWS, Batch, TrainingRows
from nnfs_cli.system.random import member_streams, random_stream
from nnfs_cli.system.spill import SpilledCopy
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.system.warn import warn
from nnfs_cli.training.callbacks.base import Callback, Training
from nnfs_cli.training.probe_statistics import LayerStatistics, parameter_statistics, relative_change
from nnfs_cli.training.progress import State, StateError

MOST_EPOCHS = 60  # epochs of which statistics are kept
MOST_ROWS = 256  # rows of an observed pass
FEWEST_ROWS = 64  # rows of an observed pass through a wide net
MOST_NUMBERS = 1 << 18  # in all layers' outputs for these rows, unless they are the fewest
MOST_PARAMETERS = 20_000  # of a net whose weights are kept, too


class ProbeStore(Protocol):
    """A place for statistics and snapshots, such as a run directory."""

    def write_probes(self, arrays: Mapping[str, Array]) -> None:
        """Keep the statistics: `epoch` (k,), `step` (k,), and others (k,)."""

    def write_snapshots(self, arrays: Mapping[str, Array]) -> None:
        """Keep the weights: `epoch` (k,), and the parameters by name, (k, *shape)."""

    def probes(self) -> Mapping[str, Array] | None:
        """Return the statistics that were kept."""

    def snapshots(self) -> Mapping[str, Array] | None:
        """Return the weights that were kept."""


class Record(NamedTuple):
    """The step and the statistics of an epoch."""

    step: int
    figures: Mapping[str, float]
    weights: Array | None  # the vector of parameters; None for a large net, or if a number in it is not finite


class Probes(Callback):
    """Record statistics of each layer and parameter at up to 60 epochs, spread evenly in log time, and the weights.

    At these epochs, the start among them, a fixed sample of up to 256 training rows (64 for a wide net) makes one more
    pass through the net, forward and backward, with the weights that count. It leaves no trace in the training. A
    training that stops before its last epoch also records the epoch in which it stops. The weights are kept for nets of
    fewer than 20,000 parameters.
    """

    key: ClassVar[str] = "probes"

    def __init__(self, rows: TrainingRows, store: ProbeStore) -> None:
        self._rows, self._store = rows, store
        self._sample: Batch | None = None
        self._broken = False  # whether a layer cannot make the pass

    def reset(self, training: Training) -> None:
        """Forget all records, and plan new ones."""
        self._model, self._progress = training.model, training.progress  # the training would make a circle
        self._planned = spread(training.progress.epochs)
        self._total = training.progress.epochs  # the last epoch of the plan
        self._kept: dict[int, Record] = {}
        self._unplanned = -1  # the epoch that is recorded only because training stopped in it
        self._unwritten = False
        self._updates: dict[str, float] = {}
        self._measured = -1  # the step whose updates these are
        self._before: SpilledCopy | None = None  # the weights before the step that is measured next
        self._target = self._watched = -1  # that step, and the next one at which there is something to do

    def state(self) -> State:
        """Write the records, and return which of them were planned, the plan, and what the next one needs."""
        self._measure()
        self._write()
        names = self._model.gradients.arrays
        return {
            "kept": _padded(epoch for epoch in self._kept if epoch != self._unplanned),
            "plan": _padded(self._planned),
            "total": np.array([self._total], np.int64),
            "measured": np.array([self._measured], np.int64),
            "updates": np.array([self._updates.get(name, math.nan) for name in names], np.float64),
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        """Read the records of the epochs before the saved state, and restore the plan."""
        kept, planned = (_epochs(state[name]) for name in ("kept", "plan"))
        total = int(state["total"][0])
        latest = self._progress.finished + 1  # an epoch that is over, but not evaluated yet
        if max(kept, default=0) > latest or max(planned, default=0) > total:
            raise StateError("its probes are of other epochs")
        self._planned, self._total = planned, total
        self._measured = int(state["measured"][0])
        self._updates = dict(zip(self._model.gradients.arrays, state["updates"].tolist(), strict=True))
        self._kept = self._read(kept)

    def on_begin(self, training: Training) -> None:
        """Record the start, or plan again if training now has another number of epochs."""
        progress = training.progress
        if not self._kept and not progress.step:
            self._record(training)
            training.model.end_training()  # its buffers are smaller than those of a large batch would be
        planned = self._planned if self._total == progress.epochs else spread(progress.epochs)
        to_come = [epoch for epoch in planned if epoch > progress.finished]
        self._planned, self._total = thinned([*self._kept, *to_come], MOST_EPOCHS), progress.epochs
        for epoch in self._kept.keys() - set(self._planned):
            del self._kept[epoch]
            self._unwritten = True
        self._watch(training)

    def next_stop(self, training: Training) -> float:
        """Wait for the step whose update is measured, and for the one before it."""
        return max(self._watched, training.progress.step + 1)

    def on_step(self, training: Training) -> None:
        """Measure the updates of the last step of an epoch that will be recorded."""
        if training.progress.step >= self._watched:
            self._watch(training)

    def on_epoch(self, training: Training) -> None:
        """Record the epoch if it is planned."""
        if training.progress.epoch in self._planned:
            self._record(training)

    def on_end(self, training: Training) -> None:
        """Record the epoch in which training has stopped, if it did, and write everything."""
        if training.aborting:
            return
        if training.stopped and training.progress.epoch not in self._kept:
            self._unplanned = training.progress.epoch
            self._record(training)
        self._write()

    def _watch(self, training: Training) -> None:
        """Measure the step if it is the target, and look for the next one."""
        self._measure()
        progress = training.progress
        ends = (epoch * progress.steps for epoch in self._planned)
        self._target = min(
            (step for step in ends if step > progress.step), default=progress.steps * progress.epochs + 1
        )
        self._watched = self._target - 1
        if progress.step == self._watched:
            vector = training.model.parameters.vector
            self._before, self._watched = SpilledCopy(vector), self._target
            self._before.store(vector)

    def _measure(self) -> None:
        """Measure the updates if the step was the target, and its weights are known from before and after."""
        model, step = self._model, self._progress.step
        if self._before is not None and step == self._target:
            before, after = model.parameters.layout.arrays(self._before.vector), model.parameters.arrays
            self._updates = {name: relative_change(before[name], after[name]) for name in model.gradients.arrays}
            self._measured, self._before = step, None

    def _record(self, training: Training) -> None:
        """Make the pass and keep what it shows. A layer that cannot make it does no harm to the training."""
        if self._broken:
            return
        model, progress, plan = training.model, training.progress, training.plan
        if self._sample is None:
            n = max(FEWEST_ROWS, min(MOST_ROWS, MOST_NUMBERS // model.numbers_per_row))
            self._sample = _sample(self._rows, min(n, len(self._rows)), plan.seed)
        x, y, weight = self._sample
        draws = partial(member_streams, model.members, plan.edition, plan.seed, "probes", progress.epoch + 1)
        statistics = LayerStatistics(len(member_axes(model.members)))
        try:
            with thread_limit(plan.threads), np.errstate(all="ignore"), model.untouched(), model.observed(statistics):
                model.differentiate(x, y, weight, draws, len(x) * self._rows.mean_weight)
                updates = self._updates if self._measured == progress.step else {}
                figures = parameter_statistics(model.parameters.arrays, model.gradients.arrays, updates)
        except Exception as error:
            self._broken = True
            what = f"{type(error).__name__} in a pass over {len(x)} rows: {error}"
            warn(f"no statistics of the layers are recorded: {what}")
            return
        vector = model.parameters.vector
        small = vector.size < MOST_PARAMETERS and all_finite(vector)
        self._kept[progress.epoch] = Record(
            progress.step, statistics.figures | figures, vector.copy() if small else None
        )
        self._unwritten = True

    def _write(self) -> None:
        """Write the records if there are new ones."""
        if not self._unwritten:
            return
        epochs = np.array([*self._kept], np.int64)
        steps = np.array([record.step for record in self._kept.values()], np.int64)
        names = dict.fromkeys(name for record in self._kept.values() for name in record.figures)
        columns = {name: [record.figures.get(name, math.nan) for record in self._kept.values()] for name in names}
        self._store.write_probes(
            {"epoch": epochs, "step": steps} | {name: np.array(column) for name, column in columns.items()}
        )
        weights = {epoch: record.weights for epoch, record in self._kept.items() if record.weights is not None}
        if weights:
            arrays = self._model.parameters.layout.arrays(np.stack([*weights.values()]))
            self._store.write_snapshots({"epoch": np.array([*weights], np.int64), **arrays})
        self._unwritten = False

    def _read(self, epochs: Iterable[int]) -> dict[int, Record]:
        """Return the records of these epochs, as far as the store has them."""
        columns, weights = self._store.probes() or {}, self._read_weights()
        records = {}
        for i, epoch in enumerate(columns.get("epoch", ())):
            figures = {name: float(column[i]) for name, column in columns.items() if name not in ("epoch", "step")}
            records[int(epoch)] = Record(int(columns["step"][i]), figures, weights.get(int(epoch)))
        return {epoch: records[epoch] for epoch in epochs if epoch in records}

    def _read_weights(self) -> dict[int, Array]:
        """Return the vectors of the weights that the store has, by epoch."""
        arrays, parameters = dict(self._store.snapshots() or {}), self._model.parameters
        if not arrays:
            return {}
        epochs = arrays.pop("epoch").tolist()
        vectors = np.empty((len(epochs), *parameters.vector.shape), parameters.vector.dtype)
        expected = parameters.layout.arrays(vectors)
        if _forms(arrays) != _forms(expected):
            raise StateError("its snapshots are of another net")
        for name, array in expected.items():
            array[...] = arrays[name]
        return dict(zip(epochs, vectors, strict=True))


def _forms(arrays: Mapping[str, Array]) -> dict[str, object]:
    return {name: (array.shape, array.dtype) for name, array in arrays.items()}


def spread(epochs: int) -> list[int]:
    """Return up to 60 epochs from 0 to the last, spread evenly in log time from 1 on."""
    n = MOST_EPOCHS - 2
    return sorted({0, 1, epochs, *(round(epochs ** (i / n)) for i in range(n))})


def thinned(epochs: Iterable[int], most: int) -> list[int]:
    """Return up to `most` of the epochs, the first and the last among them: those closest in log time are left out."""
    left = sorted(set(epochs))
    while len(left) > most:
        gaps = [math.log1p(after) - math.log1p(before) for before, after in zip(left, left[2:], strict=False)]
        del left[1 + gaps.index(min(gaps))]
    return left


def _sample(rows: TrainingRows, n: int, seed: int) -> Batch:
    """Return copies of n rows, always the same ones. Rows on disk are read a block at a time."""
    chosen = random_stream(seed, "probes").choice(len(rows), n, replace=False)
    chosen.sort()
    pieces = []
    for piece in np.split(chosen, np.flatnonzero(np.diff(chosen // BLOCK_ROWS)) + 1):
        pieces.append([None if array is None else array.copy() for array in rows.take(piece)])
    x, y, weight = ([array for array in arrays if array is not None] for arrays in zip(*pieces, strict=True))
    return np.concatenate(x), np.concatenate(y), np.concatenate(weight) if weight else None


def _padded(epochs: Iterable[int]) -> Array:
    """Return up to 60 epochs as an array (60,), which ends with -1 where there are fewer."""
    array = np.full(MOST_EPOCHS, -1, np.int64)
    given = [*epochs]
    array[: len(given)] = given
    return array


def _epochs(padded: Array) -> list[int]:
    """Return the epochs of an array that `_padded` made, or raise `StateError`."""
    epochs: list[int] = padded[padded >= 0].tolist()
    if not np.array_equal(_padded(epochs), padded) or any(a >= b for a, b in pairwise(epochs)):
        raise StateError("the epochs of its probes are not in order")
    return epochs
