"""Examine a config before training."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nnfs_cli.config.config import Config
from nnfs_cli.doctor.before.leak import leaked_target
from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis, Examination
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import load_data

CHECKS: tuple[Callable[[Subject], Iterator[Diagnosis]], ...] = (leaked_target,)


def examine_config(config: Config) -> Examination:
    """Return what is wrong with a config and its data. Nothing is written.

    Raises `DataError` or `ConfigError` if data and config do not fit together.
    """
    loaded = load_data(config)
    subject = Subject(config, loaded, prepare(config, loaded))
    return Examination.of(diagnosis for check in CHECKS for diagnosis in check(subject))
