"""Estimate how long probes take to record what happens inside a net."""

from __future__ import annotations

import time

from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.probes import Probes, spread
from nnfs_cli.training.schedules import Constant


def seconds_of_probes(experiment: Experiment) -> float:
    """Return how long all records of a training take, by a training of one step that records its start and its end.

    Leaves the weights of the experiment changed.
    """
    epochs, rows = experiment.config.epochs, experiment.training_rows
    trainer = experiment.trainer([_OneStep(), Probes(rows, _Nowhere())], schedule=Constant(), log_every=epochs)
    before = time.perf_counter(), time.process_time()
    trainer.train(rows, epochs)
    taken = min(time.perf_counter() - before[0], time.process_time() - before[1])
    return taken / 2 * len(spread(epochs))


class _OneStep(Callback):
    """Stop a training after its first step."""

    def next_stop(self, training: Training) -> float:
        """Stop at the first step."""
        return 1

    def on_step(self, training: Training) -> None:
        """Stop."""
        training.stop("the trial step is done")


class _Nowhere:
    """A `ProbeStore` that keeps nothing."""

    def write_probes(self, arrays: object) -> None:
        """Keep nothing."""

    def write_snapshots(self, arrays: object) -> None:
        """Keep nothing."""

    def probes(self) -> None:
        """Return nothing."""

    def snapshots(self) -> None:
        """Return nothing."""
