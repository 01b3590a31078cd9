"""Examine a run after its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nnfs_cli.config.config import Config
from nnfs_cli.doctor.after.best_epoch import best_at_first_epoch
from nnfs_cli.doctor.after.decay import killed_by_decay
from nnfs_cli.doctor.after.gradients import vanishing_or_exploding
from nnfs_cli.doctor.after.loss_curve import diverged, does_not_fall, oscillates
from nnfs_cli.doctor.after.rare_class import hidden_by_accuracy
from nnfs_cli.doctor.after.symmetry import symmetric_units
from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.after.units import dead_units, saturated_units
from nnfs_cli.doctor.after.updates import large_updates, small_updates, unchanged_weights
from nnfs_cli.doctor.after.verdicts import verdicts_on_training
from nnfs_cli.doctor.diagnosis import Diagnosis, Examination
from nnfs_cli.errors import UserError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.workflows.load_run import config_of

Check = Callable[[TrainedRun], Iterator[Diagnosis]]
# A cause in one stage has consequences that the next ones would measure, so these are left out then.
CAUSES: tuple[tuple[Check, ...], ...] = (
    (diverged,),
    (symmetric_units, dead_units, saturated_units),
    (vanishing_or_exploding, killed_by_decay),
    (small_updates, large_updates, unchanged_weights, oscillates),
    (best_at_first_epoch,),
    (does_not_fall,),
)
RESULTS: tuple[Check, ...] = (verdicts_on_training, hidden_by_accuracy)


def examine_run(run: RunDirectory, data: bool = True, config: Config | None = None) -> Examination:
    """Return what is wrong with the training of a run, from what it left and, with `data`, from its rows.

    `config` is that of the run, if it has been read already.
    Raises `RunError` if the run is damaged. Nothing is written.
    """
    trained = TrainedRun.of(run, config or config_of(run))
    found, unexamined = list[Diagnosis](), [*_unexamined(trained)]
    for stage in CAUSES:
        found += [one for check in stage for one in check(trained)]
        if any(one.severity == "warning" for one in found):
            break
    if data:
        from nnfs_cli.doctor.after.from_data import from_data  # the checks of configs, which a report does not need

        try:
            with ignored_warnings():
                found += from_data(run, trained.config)
        except UserError as error:
            unexamined.append(f"the rows of the run cannot be examined: {error}")
    return Examination.of([*found, *(one for check in RESULTS for one in check(trained))], unexamined)


def _unexamined(run: TrainedRun) -> Iterator[str]:
    """Yield sentences about what the run does not tell."""
    if not run.probes:
        yield "the run has no probes, so its layers, gradients and updates are not known (probes: true records them)"
    if run.config.blend:
        yield "the models that are blended with the net are not examined: the diagnoses are about the net alone"
    if run.state != "finished":
        yield "the training has not finished, so how good the net is has not been judged"
