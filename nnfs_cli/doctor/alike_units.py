"""Units with equal weights, which stay alike: how they are found, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.remedies import usual_initializers
from nnfs_cli.nn.layers import Layer

EQUAL = 1e-6  # of the largest weight


def alike(weight: Array) -> bool:
    """Return whether all units of a layer, along the last axis, have the same weights, but for rounding."""
    return bool(np.ptp(weight, axis=-1).max() <= EQUAL * np.abs(weight).max())


def symmetric(layers: Sequence[Layer], path: str, measured: str) -> Diagnosis:
    """Return the diagnosis of the layer at this place, whose units are alike."""
    remedy, edits = usual_initializers(layers, path)
    return Diagnosis(
        "symmetric_units",
        "warning",
        measured,
        "units that begin alike get the same gradient, so the layer never does more than one unit could",
        remedy or "an initializer that draws random numbers, such as init: uniform_fan_in",
        edits,
    )
