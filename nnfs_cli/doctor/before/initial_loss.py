"""A first loss far above that of a net that knows nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.doctor.before.subject import Subject, mean_loss
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.system.wording import rounded

FACTOR = 6.0


def initial_loss(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that the loss before training is many times that of a net that knows nothing.

    That is ln K for K classes, whose outputs are alike before training, or else the loss of the best constant.
    """
    rows = subject.sample
    if subject.config.loss.target_range is not None:  # such a net begins far from numbers that are not scaled
        return
    constant, floor, start = _ignorant(subject), subject.least_loss(rows), subject.start.loss
    if start - floor > FACTOR * (constant - floor) > 0:
        yield Diagnosis(
            "initial_loss",
            "note",
            f"the loss before training is {rounded(start)}; a net that knows nothing should have about"
            f" {rounded(constant)}",
            "the first epochs only make up for the bad start, often with steps that are too long",
            "smaller initial weights in the last layer, such as init: {normal: 0.01}, and a scaled target",
        )


def _ignorant(subject: Subject) -> float:
    """Return the loss of equal probabilities for classes, and of the best constant for anything else."""
    rows, loss = subject.sample, subject.config.loss
    constant = subject.constant_loss(rows)
    if loss.task != "classification" or loss.activation is None:
        return constant
    n_outputs = rows.y.shape[1]
    alike = np.full(rows.y.shape, 0.5 if n_outputs == 1 else 1 / n_outputs)
    return max(constant, mean_loss(loss.of_rows(alike, rows.y), rows.weight))
