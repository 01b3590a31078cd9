"""What the rows of a run show, read again: the checks of a config that need no training."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.config.config import Config
from nnfs_cli.doctor.before.columns import constant, leaked_target
from nnfs_cli.doctor.before.input_scale import input_scale
from nnfs_cli.doctor.before.last_layer import last_layer
from nnfs_cli.doctor.before.loss_for_classes import loss_for_classes
from nnfs_cli.doctor.before.small_batches import small_batches
from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.before.target_scale import target_scale
from nnfs_cli.doctor.before.wrong_backward import wrong_backward
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.load_run import data_of

CHECKS = (
    leaked_target, constant, loss_for_classes, small_batches, wrong_backward, last_layer, target_scale, input_scale,
)  # fmt: skip


def from_data(run: RunDirectory, config: Config) -> Iterator[Diagnosis]:
    """Yield what the rows of a run show. Raises `DataError` if they are missing or have changed."""
    loaded = data_of(run, config, "nothing is said about the columns")
    subject = Subject(config, loaded, prepare(config, loaded))
    for check in CHECKS:
        yield from check(subject)
