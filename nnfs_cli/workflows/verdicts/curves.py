"""Verdicts on the learning curves: a net that overfits, and a training that ended too early."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.workflows.verdicts.verdict import Verdict

FEWEST = 6  # logged epochs below which the curves say nothing


def curve_verdicts(log: Sequence[Mapping[str, float]], config: Config, stopped: bool) -> Iterator[Verdict]:
    """Yield what the rows of the epoch log say; `stopped` is whether training ended before its last epoch."""
    monitor, mode = config.checkpoint.monitor or "val_loss", config.checkpoint.mode
    if len(log) < FEWEST or not monitor.startswith("val_") or monitor not in log[-1]:
        return
    figures = np.array([row[monitor] for row in log]) * (-1 if mode == "max" else 1)  # lower is better
    train = np.array([row["train_loss"] for row in log])
    if not (np.isfinite(figures).all() and np.isfinite(train).all()):
        return
    best = int(np.argmin(figures))
    epoch, last = int(log[best]["epoch"]), int(log[-1]["epoch"])
    if not stopped and _still_falls(figures, best, decays=config.schedule.name != "constant"):
        yield Verdict(
            "too_short",
            "warning",
            f"{monitor} still improves at the end of training",
            f"train longer: `nnfs resume RUN --epochs {2 * last}`, or raise lr",
        )
    elif not stopped and _rises(figures, train, best):
        yield Verdict(
            "overfit",
            "warning",
            f"overfits since epoch {epoch:,} of {last:,}, whose weights are kept",
            "try dropout, weight decay, a smaller net or more rows",
        )


def _still_falls(figures: Array, best: int, decays: bool) -> bool:
    """Return whether a large share of the whole gain came late.

    An exponential decay that has run for 1.5 time constants gains 10 % of the whole in its last fifth. If the learning
    rate `decays`, the figures are flat at the end even if they could fall further, so the last half is looked at.
    """
    n = len(figures)
    if n - 1 - best > n // 20:
        return False
    before = figures[n // 2 if decays else n - 1 - max(1, round(n / 5))]
    gain = before - figures[best]
    share, least = (0.2, 0.1) if decays else (0.1, 0.02)
    return bool(gain > share * (figures[0] - figures[best]) and gain > least * abs(before))


def _rises(figures: Array, train: Array, best: int) -> bool:
    """Return whether the figures have risen clearly since the best epoch, while the training loss fell."""
    n = len(figures)
    tail = max(3, n // 10)
    if n - 1 - best < max(tail, n // 4):
        return False
    last = float(np.median(figures[-tail:]))
    noise = float(np.std(np.diff(figures[best:]))) / math.sqrt(2)  # a trend adds little to differences
    lost, gained = last - figures[best], figures[0] - figures[best]
    rises = lost > max(0.05 * abs(figures[best]), 0.1 * gained, 3 * noise)
    return bool(rises and np.median(train[-tail:]) < train[best])
