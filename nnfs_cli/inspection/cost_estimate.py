"""A net before it is trained: its layers with shapes and parameters, the memory it takes, and how long it will take."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Shape
from nnfs_cli.data.training_rows import RowsOnDisk
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree
from nnfs_cli.system.spill import SpilledCopy
from nnfs_cli.training.trainer import Callback, Trainer

SECONDS = 1.0  # a rehearsal takes about so long
STEPS = 50  # and has no more steps than these


@dataclass(frozen=True)
class Line:
    """A layer: what it is, the shape of one row that comes out of it, and the numbers that it learns."""

    layer: str
    shape: Shape
    parameters: int


@dataclass(frozen=True)
class Estimate:
    """How long training takes if nothing stops it: `seconds` in all, for its steps alone and judging, not reading."""

    seconds: float
    step_ms: float
    steps: int  # an epoch
    epochs: int


def lines(experiment: Experiment) -> list[Line]:
    """The net from its inputs to its outputs."""
    model = experiment.predictor.model
    shape = model.input_shape
    found = [Line("inputs", shape, 0)]
    if model.lookup is not None:
        shape, tree = model.lookup.build(shape)
        for table in model.lookup.tables:
            found.append(Line(f"embedding of {table.name}", (table.width,), table.rows * table.width))
        found.append(Line("all inputs", shape, 0))
    for layer in experiment.config.layers:
        shape, tree = layer.build(shape)
        found.append(Line(layer.describe(), shape, _count(tree)))
    return found


def _count(tree: ParameterTree) -> int:
    return sum(_learned(spec) if isinstance(spec, ParameterSpec) else _count(spec) for spec in tree.values())


def _learned(spec: ParameterSpec) -> int:
    return math.prod(spec.shape) if spec.learned else 0


def rehearse(experiment: Experiment) -> tuple[Estimate, dict[str, int]]:
    """Make a few steps, and say how long all of them will take and what memory they need, in bytes.

    The weights of the experiment are as they were afterwards. Raises `DivergedError` as training would.
    """
    spec, predictor = experiment.config, experiment.predictor
    model, stopwatch = predictor.model, _Stopwatch()
    before = model.parameters.vector.copy()
    trainer = experiment.trainer([stopwatch], log_every=spec.epochs)
    trainer.train(experiment.learned, spec.epochs)
    bytes_ = _memory(experiment, trainer)
    model.parameters.vector[...] = before
    watched = experiment.splits.get("validation", experiment.splits["train"])
    predictor.figures(watched)  # the first time something may have to be imported
    start = time.perf_counter()
    predictor.figures(watched)
    judging = time.perf_counter() - start
    epochs, steps = spec.epochs, trainer.steps
    seconds = stopwatch.step * steps * epochs + judging * (epochs // spec.log_every)
    return Estimate(seconds, 1000 * stopwatch.step, steps, epochs), bytes_


def _memory(experiment: Experiment, trainer: Trainer) -> dict[str, int]:
    """Bytes: what is learned from, the net with all that its training keeps, and what a batch needs on its way.

    The program itself, and the table while it is read, come on top.
    """
    spec, vector = experiment.config, trainer.model.parameters.vector
    copies = 2 + (vector.nbytes <= SpilledCopy.large)  # the weights, their gradient, and the best of them, if in memory
    copies += 2 if spec.averaging else 0  # the average and a spare
    arrays = (array for encoded in experiment.splits.values() for array in encoded.arrays if array is not None)
    held = sum({id(array): array.nbytes for array in arrays}.values())  # some splits are of the same rows
    rows = min(experiment.batches.size, len(experiment.learned))
    numbers = sum(math.prod(line.shape) for line in lines(experiment))
    return {
        "data": held + (spec.memory_limit or 0) // 2 * isinstance(experiment.learned, RowsOnDisk),
        "net": copies * vector.nbytes + sum(array.nbytes for array in trainer.optimizer_state.values()),
        "batch": 2 * rows * numbers * spec.members * vector.itemsize,  # what comes out of each layer, and its gradient
    }


class _Stopwatch(Callback):
    """Times the steps, and ends training when it has seen enough."""

    def __init__(self) -> None:
        self.times: list[float] = []

    @property
    def step(self) -> float:
        """Seconds a step takes: the least, as the first ones make buffers and others are interrupted."""
        return float(np.diff(self.times).min())

    def on_begin(self, trainer: Trainer) -> None:
        """Begin to measure."""
        self.times = [time.perf_counter()]

    def on_step(self, trainer: Trainer) -> None:
        """Measure."""
        self.times.append(time.perf_counter())
        if len(self.times) > STEPS or (len(self.times) > 5 and self.times[-1] - self.times[0] > SECONDS):
            trainer.stop("the rehearsal is over")
