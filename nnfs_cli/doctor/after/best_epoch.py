"""A best epoch at the start: training has only made the net worse. The verdict `too_short` tells of one at the end."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.remedies import another_lr
from nnfs_cli.system.wording import counted, rounded

FEWEST = 6  # logged epochs below which nothing is said
LOST = 0.05  # share of the first figure by which the last ones must be worse


def best_at_first_epoch(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield that the first logged epoch is the best, and the last ones are clearly worse.

    Nothing is said if the net overfits, which a verdict says.
    """
    monitor, mode = run.config.checkpoint.monitor or "val_loss", run.config.checkpoint.mode
    if len(run.log) < FEWEST or monitor not in run.log[-1] or "overfit" in run.verdict_codes or run.stepper is None:
        return
    values = np.array([row[monitor] for row in run.log]) * (-1 if mode == "max" else 1)
    if not np.isfinite(values).all() or values[1:].min() <= values[0]:
        return
    lost = float(np.median(values[-max(3, len(values) // 10) :]) - values[0])
    noise = float(np.std(np.diff(values))) / math.sqrt(2)
    if lost > max(LOST * abs(values[0]), 3 * noise):
        yield Diagnosis(
            "best_at_first_epoch",
            "warning",
            f"{monitor} is best in the first of {counted(len(values), 'logged epoch')}, and worse by {rounded(lost)} at"
            " the end",
            "each further epoch made the net worse, so the steps are too long, or the rows say little about others",
            *another_lr(run.lr / 10),
        )
