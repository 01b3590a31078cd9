"""The learning-rate range test: how the loss moves while the learning rate grows in every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.doctor.before.trials import Trials
from nnfs_cli.training.schedules import Schedule, ScheduleState

DECADES = 8.0  # from a ten-thousandth of the usual learning rate of the optimizer to ten thousand times as much
STEPS, MOST_STEPS = 160, 640  # for batches of 32 rows or more, and for the smallest ones
SMOOTHING = 1 / 32  # share of the steps that a point of the curve is the mean of, on each side
SAFE = 10.0  # the suggested lr is this much smaller than that of the lowest loss


@dataclass(frozen=True)
class RangeTest:
    """The loss of the batches of a training whose learning rate grows by the same factor in each step.

    `loss` is smoothed. `suggested` is None if no learning rate makes the loss fall.
    Source: Smith, "Cyclical Learning Rates for Training Neural Networks" (2017), section 3.3.
    """

    lr: Array  # (steps,)
    loss: Array  # (steps,)
    start: float  # the loss at the smallest rates
    suggested: float | None

    def plain(self) -> dict[str, Any]:
        """Return the test as a dict for JSON."""
        curve = {"lr": [float(f"{lr:.3g}") for lr in self.lr], "loss": [float(f"{one:.5g}") for one in self.loss]}
        return {**curve, "suggested": self.suggested}


class _Growth(Schedule):
    """A learning rate that grows by the same factor in each step."""

    growth: float

    def at(self, step: int, steps_per_epoch: int, epochs: int, state: ScheduleState) -> float:
        return self.growth**step


def range_test(trials: Trials, lr: float, usual: float) -> RangeTest | None:
    """Make the test around the `usual` learning rate, widened to include `lr`; None if the net is too large for it."""
    if not trials.steps:
        return None
    steps = min(max(STEPS, min(STEPS * 32 // trials.batch, MOST_STEPS)), trials.steps)
    around = max(3, round(SMOOTHING * steps))
    low, high = min(usual * 10 ** (-DECADES / 2), lr / 10), max(usual * 10 ** (DECADES / 2), lr * 10)
    growth = (high / low) ** (1 / (steps - 1))
    losses = trials.losses(_Growth(growth=growth), low, steps)
    losses = losses[: int(np.argmin(np.isfinite(losses))) or None] if not np.isfinite(losses).all() else losses
    if len(losses) < 2 * around:
        return None
    smooth = _smoothed(losses, around)
    start = float(np.median(losses[: max(around, steps // 10)]))
    beyond = np.flatnonzero(
        (smooth > start + 3 * abs(start - smooth.min())) & (np.arange(len(smooth)) > np.argmin(smooth))
    )
    end = int(beyond[0]) + 1 if len(beyond) else len(smooth)
    rates = low * growth ** np.arange(end)
    smooth = smooth[:end]
    lowest = int(np.argmin(smooth))
    noise = float(np.std(np.diff(losses[: max(around, lowest)]))) / np.sqrt(2 * (2 * around + 1))
    falls = start - smooth[lowest] > max(4 * noise, 0.02 * abs(start))
    return RangeTest(rates, smooth, start, float(f"{rates[lowest] / SAFE:.1g}") if falls else None)


def _smoothed(losses: Array, around: int) -> Array:
    """Return the means of the losses around each step."""
    sums = np.cumsum(np.concatenate([[0.0], losses]))
    at = np.arange(len(losses))
    low, high = np.maximum(at - around, 0), np.minimum(at + around + 1, len(losses))
    return np.asarray((sums[high] - sums[low]) / (high - low))
