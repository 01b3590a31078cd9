"""Gradients that vanish or explode on their way to the first layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.remedies import unsaturated

RATIO = 1e4  # between the gradients of two layers


def gradients(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that the gradient of the first weights is 10,000 times smaller or larger than that of the last ones."""
    norms = subject.start.gradients
    weights = [array for name, array in subject.net().parameters.arrays.items() if name.endswith(".weight")]
    if len(norms) < 2 or not all(map(np.any, weights)):  # before a layer that is 0 at first there is no gradient yet
        return
    (first, early), *_, (last, late) = norms.items()
    sizes = f"the gradient of the weights of {first} has the norm {early:.2g}, that of {last} {late:.2g}"
    if late > RATIO * early:
        yield Diagnosis(
            "vanishing_gradient",
            "warning",
            f"before training, {sizes}",
            "the first layers hardly learn, and pass on the noise of their initial weights",
            *unsaturated(subject.config.layers),
        )
    elif early > RATIO * late > 0:
        yield Diagnosis(
            "exploding_gradient",
            "warning",
            f"before training, {sizes}",
            "steps that suit the last layers are far too long for the first ones",
            "clip: {norm: 1}, and smaller initial weights",
            {"clip": {"norm": 1.0}},
        )
