"""What the data of a run shows, read again: the checks of a config that need no training."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nnfs_cli.config.config import Config
from nnfs_cli.doctor.before.leak import leaked_target
from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.load_run import data_of

CHECKS: tuple[Callable[[Subject], Iterator[Diagnosis]], ...] = (leaked_target,)


def from_data(run: RunDirectory, config: Config) -> Iterator[Diagnosis]:
    """Yield what the rows of a run show. Raises `DataError` if they are missing or have changed."""
    loaded = data_of(run, config, "nothing is said about the columns")
    subject = Subject(config, loaded, prepare(config, loaded))
    for check in CHECKS:
        yield from check(subject)
