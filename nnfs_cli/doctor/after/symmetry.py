"""Units that began alike and so stayed alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.before.initial_weights import usual_initializers
from nnfs_cli.doctor.diagnosis import Diagnosis


def symmetric_units(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield the first hidden layer whose units had equal weights at the start and have equal ones at the end."""
    for name, place in [*run.weights().items()][:-1]:
        weight = run.snapshots.get(name)
        if weight is not None and weight.shape[-1] > 1 and _alike(weight[0]) and _alike(weight[-1]):
            remedy, edits = usual_initializers(run.config.layers, place)
            yield Diagnosis(
                "symmetric_units",
                "warning",
                f"the {weight.shape[-1]} units of {place} have equal weights at the end of training, as at the start",
                "units that begin alike get the same gradient, so the layer never does more than one unit could",
                remedy or "an initializer that draws random numbers, such as init: uniform_fan_in",
                edits,
            )
            return


def _alike(weight: Array) -> bool:
    """Return whether all units, along the last axis, have the same weights, but for rounding."""
    return bool(np.ptp(weight, axis=-1).max() <= 1e-6 * np.abs(weight).max())
