"""Examine a config before training."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nnfs_cli.config.config import Config
from nnfs_cli.doctor.before.columns import constant, leaked_target
from nnfs_cli.doctor.before.decay import decay_too_strong
from nnfs_cli.doctor.before.gradients import gradients
from nnfs_cli.doctor.before.imbalance import imbalance
from nnfs_cli.doctor.before.initial_loss import initial_loss
from nnfs_cli.doctor.before.input_scale import input_scale
from nnfs_cli.doctor.before.last_layer import last_layer
from nnfs_cli.doctor.before.learning_rate import learning_rate
from nnfs_cli.doctor.before.loss_for_classes import loss_for_classes
from nnfs_cli.doctor.before.overfit_batch import cannot_overfit
from nnfs_cli.doctor.before.small_batches import small_batches
from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.before.symmetric_units import symmetric_units
from nnfs_cli.doctor.before.target_scale import target_scale
from nnfs_cli.doctor.before.useless_units import dead_units, saturated_units
from nnfs_cli.doctor.before.wrong_backward import wrong_backward
from nnfs_cli.doctor.diagnosis import Diagnosis, Examination
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.training.optimizers import Minimizer

Check = Callable[[Subject], Iterator[Diagnosis]]
DATA: tuple[Check, ...] = (leaked_target, constant, imbalance, loss_for_classes, small_batches)
# A fault of one stage shows in the measurements of the next ones, which are left out then.
NET: tuple[tuple[Check, ...], ...] = (
    (last_layer, input_scale, target_scale, wrong_backward),
    (symmetric_units, dead_units, saturated_units),
    (gradients,),
    (cannot_overfit,),
    (initial_loss, decay_too_strong),
    (learning_rate,),
)


def examine_config(config: Config) -> Examination:
    """Return what is wrong with a config, its data and its net before training. Nothing is written.

    Nothing depends on the speed of the machine: the same config always gets the same diagnoses.
    Raises `DataError` or `ConfigError` if data and config do not fit together.
    """
    loaded = load_data(config)
    subject = Subject(config, loaded, prepare(config, loaded))
    with ignored_warnings():
        found = [diagnosis for check in DATA for diagnosis in check(subject)]
        unexamined = []
        for stage in NET:
            of_stage = [diagnosis for check in stage for diagnosis in check(subject)]
            found += of_stage
            if any(one.severity == "warning" for one in of_stage) and stage is not NET[-1]:
                unexamined = ["other faults of the net show only when these are mended; examine it again then"]
                break
        else:
            unexamined += _without_trials(subject)
        return Examination.of(found, unexamined, None if unexamined else subject.range_test)


def _without_trials(subject: Subject) -> Iterator[str]:
    """Yield why no training was tried, if none was."""
    if isinstance(subject.config.optimizer, Minimizer):
        yield f"{subject.config.optimizer.name} chooses its own steps, so there is no learning rate to test"
    elif not subject.trials.steps:
        yield "the net or its batches are so large that trying a training would take too long"
