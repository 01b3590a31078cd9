"""Units that began alike and so stayed alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.nn.layers.linear import Linear


def symmetric_units(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield the first hidden layer whose units had equal weights at the start and have equal ones at the end."""
    for name, place in [*run.weights().items()][:-1]:
        weight = run.snapshots.get(name)
        if weight is not None and weight.shape[-1] > 1 and _alike(weight[0]) and _alike(weight[-1]):
            yield Diagnosis(
                "symmetric_units",
                "warning",
                f"the {weight.shape[-1]} units of {place} have equal weights at the end of training, as at the start",
                "units that begin alike get the same gradient, so the layer never does more than one unit could",
                f"leave out init of {place}, or choose an initializer that draws random numbers",
                _edits(run, place),
            )
            return


def _alike(weight: Array) -> bool:
    """Return whether all units, along the last axis, have the same weights, but for rounding."""
    return bool(np.ptp(weight, axis=-1).max() <= 1e-6 * np.abs(weight).max())


def _edits(run: TrainedRun, place: str) -> dict[str, None]:
    """Return the edits that leave out the initializers of all linear layers of the net itself."""
    linears = [(path, layer) for path, layer in run.layers() if isinstance(layer, Linear) and path.count(".") == 1]
    keys = {f"{path}.{layer.name}.init": None for path, layer in linears if "init" in layer.model_fields_set}
    return keys if place in dict(linears) else {}
