"""A backward pass of the user's own that does not give the derivative of its forward pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.nn.net_check import check_net
from nnfs_cli.system.random import random_stream

ROWS = 8


def wrong_backward(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the layers, and the loss, whose gradients differ from central differences, if any of them is the user's."""
    model = subject.net(np.float64)
    if not any(part.is_own() for part in (model.loss, *model.layers.walk())):
        return
    rows = subject.rows.take(np.arange(min(len(subject.rows), max(ROWS, model.layers.min_batch_layer.min_batch))))
    x, y = rows.X.astype(np.float64), rows.y.astype(np.float64)
    for check in check_net(model, x, y, draws=lambda: random_stream(0, "doctor")).blamed:
        wrong = max(check.arrays, key=lambda array: array.error)
        measured = (
            f"the gradient of {check.path} ({check.title}) with respect to {wrong.name} is off by {wrong.error:.1e}"
        )
        yield Diagnosis(
            "wrong_backward",
            "warning",
            "; ".join([*check.faults, f"{measured} of its largest entry"] if wrong.wrong else check.faults),
            "training follows this gradient, so its steps need not lower the loss",
            "correct `backward`; `nnfs gradcheck` shows the errors of each array",
        )
