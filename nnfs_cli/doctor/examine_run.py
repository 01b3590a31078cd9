"""Examine a run after its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nnfs_cli.doctor.after.decay import killed_by_decay
from nnfs_cli.doctor.after.gradients import vanishing_or_exploding
from nnfs_cli.doctor.after.loss_curve import diverged, does_not_fall, oscillates
from nnfs_cli.doctor.after.rare_class import hidden_by_accuracy
from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.after.units import dead_units, saturated_units
from nnfs_cli.doctor.after.updates import small_updates, unchanged_weights
from nnfs_cli.doctor.after.verdicts import verdicts_on_training
from nnfs_cli.doctor.diagnosis import Diagnosis, Examination
from nnfs_cli.runs.directory import RunDirectory

CHECKS: tuple[Callable[[TrainedRun], Iterator[Diagnosis]], ...] = (
    diverged, dead_units, saturated_units, vanishing_or_exploding, killed_by_decay, small_updates, unchanged_weights,
    oscillates, does_not_fall, verdicts_on_training, hidden_by_accuracy,
)  # fmt: skip


def examine_run(run: RunDirectory) -> Examination:
    """Return what is wrong with the training of a run, from what it left. Raises `RunError` if the run is damaged."""
    trained = TrainedRun.of(run)
    return Examination.of((one for check in CHECKS for one in check(trained)), _unexamined(trained))


def _unexamined(run: TrainedRun) -> Iterator[str]:
    """Yield sentences about what the run does not tell."""
    if not run.probes:
        yield "the run has no probes, so its layers, gradients and updates are not known (probes: true records them)"
    if run.state in ("interrupted", "running"):
        yield "the training has not finished, so how good the net is has not been judged"
