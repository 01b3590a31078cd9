"""Estimate the cost of a training run: memory and time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.training_rows import RowsOnDisk
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.inspection.blend_cost import seconds_of_blend
from nnfs_cli.inspection.net_cost import net_cost
from nnfs_cli.inspection.probe_cost import seconds_of_probes
from nnfs_cli.system.spill import SpilledCopy
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.schedules import Constant
from nnfs_cli.training.trainer import Trainer

SECONDS = 1.0  # approximate duration of the trial steps
STEPS = 50  # trial steps, at most
AROUND = 0.03  # seconds that any training takes beside its steps, for files, figures and verdicts
LAST = 3  # evaluations after the last epoch: figures, calibration, verdicts


@dataclass(frozen=True)
class CostEstimate:
    """The estimated duration of training if nothing stops it early.

    `seconds` covers steps, evaluations, probes and the blended models, but not reading the data.
    """

    seconds: float
    step_ms: float
    steps: int  # steps an epoch
    epochs: int


def estimate_cost(experiment: Experiment) -> tuple[CostEstimate, dict[str, int]]:
    """Time a few training steps; return the estimated duration and the memory in bytes.

    Restores the weights of the experiment afterwards. Raises `DivergedError` as training would.
    """
    config, predictor = experiment.config, experiment.predictor
    model, stopwatch = predictor.model, _Stopwatch()
    before = model.parameters.vector.copy()
    trainer = experiment.trainer([stopwatch], schedule=Constant(), log_every=config.epochs)
    trainer.train(experiment.training_rows, config.epochs)
    bytes_ = _memory(experiment, trainer)
    model.parameters.vector[...] = before
    evaluated = experiment.splits.get("validation", experiment.splits["train"])
    predictor.figures(evaluated)  # the first call may import something
    stamps = [_now()]
    while len(stamps) < 4 and stamps[-1][0] - stamps[0][0] < SECONDS:
        predictor.figures(evaluated)
        stamps.append(_now())
    evaluating = _shortest(stamps)
    epochs, steps = config.epochs, trainer.steps
    seconds = stopwatch.step * steps * epochs + evaluating * (epochs // config.log_every + LAST)
    seconds += AROUND + seconds_of_blend(experiment)
    if config.probes:
        seconds += seconds_of_probes(experiment)
        model.parameters.vector[...] = before
    return CostEstimate(seconds, 1000 * stopwatch.step, steps, epochs), bytes_


def _memory(experiment: Experiment, trainer: Trainer) -> dict[str, int]:
    """Return the bytes of the encoded rows, of the net with its optimizer state, and of the activations of a batch.

    The program itself and the table while it is read are not included.
    """
    config, vector = experiment.config, trainer.model.parameters.vector
    copies = 2 + (vector.nbytes <= SpilledCopy.large)  # weights, gradient, and the best weights if in memory
    states = sum(array.nbytes for array in trainer.optimizer_state.values())
    if config.engine == "compiled" and config.members > 1:  # members go back if one of them diverges
        copies, states = copies + 1 + bool(config.averaging), 2 * states
    copies += 2 if config.averaging else 0  # the average and a spare copy
    arrays = (array for encoded in experiment.splits.values() for array in encoded.arrays if array is not None)
    held = sum({id(array): array.nbytes for array in arrays}.values())  # splits may share arrays
    rows = min(experiment.batches.size, len(experiment.training_rows))
    batches = 3 if config.engine == "compiled" else 2  # outputs of all layers, gradients, and evaluations in NumPy
    outputs = net_cost(trainer.model, rows).total("output_bytes")
    return {
        "data": held + (config.memory_limit or 0) // 2 * isinstance(experiment.training_rows, RowsOnDisk),
        "net": copies * vector.nbytes + states,
        "batch": batches * outputs,
    }


class _Stopwatch(Callback):
    """Time the steps, or chunks of them in the compiled engine, and stop training after enough of them."""

    def __init__(self) -> None:
        self.stamps: list[tuple[float, float]] = []
        self._steps: list[int] = []  # made until each stamp

    @property
    def step(self) -> float:
        """Seconds of the fastest step; the first steps allocate buffers, and others may be interrupted."""
        return _shortest(self.stamps, np.diff(self._steps))

    def on_begin(self, training: Training) -> None:
        """Start the clock."""
        self.stamps, self._steps = [_now()], [training.progress.step]

    def next_stop(self, training: Training) -> float:
        """Let the engine make as many steps at once as in a training that nobody watches."""
        return math.inf

    def on_step(self, training: Training) -> None:
        """Record the time after a step or a chunk, and stop training when there are enough."""
        self.stamps.append(_now())
        self._steps.append(training.progress.step)
        if len(self.stamps) > STEPS or (len(self.stamps) > 5 and self.stamps[-1][0] - self.stamps[0][0] > SECONDS):
            training.stop("the trial steps are done")


def _now() -> tuple[float, float]:
    """Return the time and the processor time of this process, in seconds."""
    return time.perf_counter(), time.process_time()


def _shortest(stamps: Sequence[tuple[float, float]], parts: Array | int = 1) -> float:
    """Return the shortest duration of a part; between two stamps there are as many as `parts` (stamps - 1,) says.

    Where other programs are at work, it is of processor time. The processor time of several threads is added up, so the
    smaller of both times is the one to wait for.
    """
    durations = np.diff(stamps, axis=0) / np.reshape(parts, (-1, 1))
    return float(durations[durations > 0].min())  # a coarse clock of processor time stands still in a short step
