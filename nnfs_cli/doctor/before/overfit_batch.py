"""A net that cannot even overfit a few rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.system.wording import rounded

MOST_ROWS = 16
ROOM = 4  # parameters for each number to learn
LEFT = 0.7  # share of the loss of the best constant from which nothing was learned
RATES = (0.01, 0.001, 0.1)  # of Adam, one after the other until one succeeds
STEPS = 300


def cannot_overfit(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that no training of a few rows, of which the net should know each, gets far below a constant."""
    rows = _few_rows(subject)
    if rows is None or not subject.trials.affords(len(rows), STEPS):
        return
    constant, floor, best = subject.constant_loss(rows), subject.least_loss(rows), np.inf
    if not constant > floor:
        return
    for lr in RATES:
        best = min(best, subject.trials.overfit(rows, lr, STEPS))
        if best - floor < LEFT * (constant - floor):
            return
    yield Diagnosis(
        "cannot_overfit",
        "warning",
        f"on {len(rows)} rows alone, the loss stays at {rounded(best)} after {STEPS} steps of adam; the best constant"
        f" has {rounded(constant)}",
        "a net that is sound overfits a few rows; this one has a fault that no other learning rate mends",
        "look at the layers one by one with `nnfs trace`",
    )


def _few_rows(subject: Subject) -> EncodedRows | None:
    """Return a few different rows with different targets, fewer for small nets; None if there are none."""
    model, rows = subject.experiment.predictor.model, subject.sample
    parameters = model.n_parameters // subject.config.members
    n = min(MOST_ROWS, parameters // (ROOM * model.output_shape[0]), rows.X.shape[1] + 1)
    _, first = np.unique(rows.X, axis=0, return_index=True)
    _, targets = np.unique(rows.y[np.sort(first)], axis=0, return_index=True)
    chosen = [*np.sort(first)[np.sort(targets)[: n // 2 + 1]], *np.sort(first)]
    few = rows.take(np.array([*dict.fromkeys(chosen)][: max(n, 0)], np.intp))
    return few if len(few) > 1 and len(np.unique(few.y, axis=0)) > 1 else None
