"""Statistics of a batch from a handful of rows."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.nn.layers.batch_norm import BatchNorm

FEWEST = 5  # rows of a batch below which its mean and variance say little


def small_batches(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that batch_norm takes its mean and variance from fewer than five rows."""
    experiment, layers = subject.experiment, subject.experiment.predictor.model.layers
    size = experiment.batches.size
    if size >= FEWEST or not any(isinstance(layer, BatchNorm) for layer in layers.walk()):
        return
    yield Diagnosis(
        "small_batches",
        "warning",
        f"batch_norm takes the mean and the variance of each unit from batches of {size} rows",
        "so few rows say little about them: in training each row is moved by its neighbours, in predictions it is not",
        "batch_size: 32, or layer_norm instead of batch_norm",
        {"batch_size": 32} if len(experiment.training_rows) >= 64 else {},
    )
