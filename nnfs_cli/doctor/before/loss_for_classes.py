"""A loss for numbers on a target that holds classes."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.errors import DataError
from nnfs_cli.inspection.column_kinds import profile_column
from nnfs_cli.inspection.propose import task_of
from nnfs_cli.system.wording import named


def loss_for_classes(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that a target that is learned as numbers holds only two different ones, or few that look like classes."""
    config, targets = subject.config, subject.config.dataset.target_columns()
    table = subject.loaded.readers["train"].survey
    if config.loss.task != "regression" or config.loss.target_range is not None:  # counts are few whole numbers, too
        return
    if len(targets) != 1 or not table.has(targets[0]):
        return
    try:
        task = task_of(table, targets[0], profile_column(table, targets[0]))
    except DataError:
        return
    if not task.n_classes:
        return
    loss = "binary_cross_entropy" if task.n_classes == 2 else "cross_entropy"
    holds = f"{task.n_classes} different numbers"
    yield Diagnosis(
        "loss_for_classes",
        "warning" if task.n_classes == 2 else "note",
        f"the target {named(targets[0])} holds only {holds}, and {config.loss.name} learns it as a quantity",
        "if they are classes, a quantity between two of them means nothing, and there are no probabilities",
        f"loss: {loss}{'' if task.n_classes == 2 else f', and linear: {task.n_classes} as the last layer'}",
        {"loss": loss, "metrics": None, "preprocessing.target": None} if task.n_classes == 2 else {},
    )
