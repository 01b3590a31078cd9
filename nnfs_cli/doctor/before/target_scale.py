"""A target of numbers that are not scaled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.system.wording import named

LARGE = 30.0  # root mean square of a target from which it is not scaled


def target_scale(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that targets are large as the net sees them, where the loss does not ask for numbers as they are."""
    loss = subject.config.loss
    if loss.task != "regression" or loss.target_range is not None:
        return
    y = subject.rows.y.astype(np.float64)
    with np.errstate(over="ignore"):
        size = np.sqrt(np.square(y).mean(axis=0))
    worst = int(np.argmax(size))
    if size[worst] > LARGE and y[:, worst].any():
        targets, mean, std = subject.config.dataset.target_columns(), y[:, worst].mean(), y[:, worst].std()
        name = named(targets[worst % len(targets)])
        yield Diagnosis(
            "target_scale",
            "warning",
            f"the target {name} reaches the net with a mean of {mean:,.4g} and a standard deviation of {std:,.4g}",
            "gradients grow with the errors, so the first steps throw the weights far away, or lr must be tiny",
            "preprocessing: {target: standardize}",
            {"preprocessing.target": "standardize"},
        )
