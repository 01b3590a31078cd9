"""Gradients by layer: those that vanish or explode on their way back through the net."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.remedies import unsaturated
from nnfs_cli.system.wording import rounded

VANISHED = 1e-4  # gradient of the first weights divided by that of the last ones, each beside its weights
EXPLODED = 1e4
FEWEST = 3  # weights, first to last, below which nothing is said


def vanishing_or_exploding(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield that the first weights get a far smaller, or far larger, gradient than the last ones, all training long.

    A gradient is measured beside its weights: its norm divided by theirs.
    """
    weights = run.weights()
    names = [name for name in weights if name.count(".") == 1]  # those inside of blocks may have a way around them
    if len(names) < FEWEST:
        return
    first, last = (_relative(run, name) for name in (names[0], names[-1]))
    known = np.isfinite(first) & np.isfinite(last) & (last > 0)
    if not known.any():
        return
    ratio = float(np.median(first[known] / last[known]))
    of_first, of_last = weights[names[0]], weights[names[-1]]
    size = f"the gradient of {of_first} is {rounded(ratio)} times that of {of_last}, as shares of their weights"
    if ratio < VANISHED:
        yield Diagnosis(
            "vanishing_gradient",
            "warning",
            size,
            "each layer passes back only a part of the gradient, so the first layers do not learn",
            *unsaturated(run.config.layers),
        )
    elif ratio > EXPLODED:
        yield Diagnosis(
            "exploding_gradient",
            "warning",
            size,
            "each layer passes back more than it gets, so the first layers jump while the last ones hardly move",
            "clip: {norm: 1}, or init: xavier_uniform",
            {} if run.config.clip else {"clip": {"norm": 1}},
        )


def _relative(run: TrainedRun, name: str) -> Array:
    gradient, norm = run.probed(name, "gradient"), run.probed(name, "norm")
    if gradient is None or norm is None:
        return np.full(1, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(gradient / norm)
