"""Hidden units that answer alike to every row at the end of training: dead ones and saturated ones.

A net that is good in spite of them gets a note: it may be larger than it has to be.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.useless_units import dead, saturated
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.system.wording import percent

DEAD = 0.6  # share of dead units of a layer from which it is a diagnosis
SATURATED = 0.6  # share of outputs near the ends of the range


def dead_units(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield the layer with the largest share of units that are 0 on all probed rows."""
    worst = _worst(run, (ReLU,), "output.dead")
    if worst is not None and worst[1] >= DEAD:
        path, share = worst
        measured = f"{percent(share)} of the units of {path} are 0 on all sampled rows at the end of training"
        otherwise = "a lower lr, inputs that are scaled around 0, or leaky_relu instead of relu"
        yield dead(run.config.layers, path, measured, otherwise, "warning" if run.poor else "note")


def saturated_units(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield the hidden layer of sigmoids or tanhs with the largest share of outputs at the ends of their range."""
    worst = _worst(run, (Sigmoid, Tanh), "output.saturated")
    if worst is not None and worst[1] >= SATURATED:
        path, share = worst
        measured = f"{percent(share)} of the outputs of {path} lie at the ends of their range at the end of training"
        otherwise = "a lower lr, inputs that are scaled around 0, or relu instead"
        yield saturated(run.config.layers, path, measured, otherwise, "warning" if run.poor else "note")


def _worst(run: TrainedRun, kinds: tuple[type[Layer], ...], quantity: str) -> tuple[str, float] | None:
    """Return the hidden layer of these kinds with the largest last value of a share, and that value."""
    shares = [
        (path, float(share[-1]))
        for path, layer in [*run.layers()][:-1]
        if isinstance(layer, kinds) and (share := run.probed(path, quantity)) is not None and np.isfinite(share[-1])
    ]
    return max(shares, key=lambda one: one[1], default=None)
