"""The training loss from epoch to epoch: a net that diverged, a loss that does not fall, and one that oscillates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.remedies import another_lr
from nnfs_cli.system.wording import counted, rounded

FEWEST = 6  # logged epochs below which the loss is not judged
FALL = 0.01  # a loss that falls by a smaller share of itself does not fall
RISE = 0.2  # an epoch in which the loss rises by a larger share of itself is a bad one
OF_GAIN = 0.1  # and by a larger share of all that training has gained
OFTEN = 0.25  # share of bad epochs from which the loss oscillates
GREW = 10.0  # a layer whose output is so many times as large as at the start has grown


def diverged(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield that a loss or a gradient became infinite, and which layer grew first, if the probes have seen it."""
    if run.state != "diverged":
        return
    finite = run.train_loss[np.isfinite(run.train_loss)]
    last = f" (the training loss of the last one was {finite[-1]:.3g})" if len(finite) else ""
    measured = f"the loss or a gradient became infinite after {counted(len(run.log), 'logged epoch')}{last}"
    grown = _first_to_grow(run)
    measured += f"; {grown}" if grown else ""
    why = "each step was larger than the one before it, because a step that is too long makes the gradient larger"
    if run.stepper is None:
        yield Diagnosis("diverged", "warning", measured, why, "scale the inputs and the target, or choose another init")
        return
    remedy, edits = another_lr(min(run.lr / 10, 0.1))
    remedy += "" if run.config.clip else ", or clip: {norm: 1}"
    yield Diagnosis("diverged", "warning", measured, why, remedy, edits)


def _first_to_grow(run: TrainedRun) -> str:
    """Return in words which layer's output first became `GREW` times as large as at the start; empty if none did."""
    first: tuple[float, str] | None = None
    for path, _ in run.layers():
        size, epoch = run.probed(path, "output.std"), run.probes.get("epoch")
        if size is None or epoch is None or not size[0] > 0:
            continue
        with np.errstate(invalid="ignore"):
            large = np.flatnonzero(~(size <= GREW * size[0]))
        if len(large) and (first is None or epoch[large[0]] < first[0]):
            first = float(epoch[large[0]]), path
    return f"the output of {first[1]} grew first, in epoch {first[0]:,.0f}" if first else ""


def does_not_fall(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield that the training loss does not fall, of a net that is no better than a constant prediction."""
    loss = run.train_loss
    if len(loss) < FEWEST or not np.isfinite(loss).all() or not run.useless:
        return
    if loss[0] - loss.min() < FALL * abs(loss[0]):
        yield Diagnosis(
            "stalled",
            "warning",
            f"the training loss was {rounded(loss[0])} in the first epoch and never fell below {rounded(loss.min())}",
            "the steps do not lower the loss: they are too small or too large, no gradient arrives, or the inputs say"
            " nothing about the target",
            "`nnfs doctor CONFIG` measures which learning rates lower the loss",
        )


def oscillates(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield that in the second half of training the loss often rises by a large share of itself and of the gain."""
    loss = run.train_loss
    if len(loss) < FEWEST or not np.isfinite(loss).all() or run.stepper is None:
        return
    late = loss[len(loss) // 2 - 1 :]
    rises = np.diff(late)
    gained = max(loss[0] - loss.min(), 0.0)
    bad = (rises > RISE * np.abs(late[:-1])) & (rises > OF_GAIN * gained)
    if bad.sum() >= 2 and bad.mean() >= OFTEN:
        remedy, edits = another_lr(run.lr / 3)
        yield Diagnosis(
            "oscillates",
            "warning",
            f"the training loss rose by more than {RISE:.0%} in {bad.sum()} of the last {counted(len(rises), 'epoch')},"
            f" by up to {rounded(float(rises.max()))}",
            "the steps jump over the minimum, so how good the net is depends on the epoch in which training ends",
            f"{remedy}, or schedule: cosine",
            edits,
        )
