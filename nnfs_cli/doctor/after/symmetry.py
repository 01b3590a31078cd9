"""Units that began alike and so stayed alike."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.doctor.alike_units import alike, symmetric
from nnfs_cli.doctor.diagnosis import Diagnosis


def symmetric_units(run: TrainedRun) -> Iterator[Diagnosis]:
    """Yield the first hidden layer whose units had equal weights at the start and have equal ones at the end."""
    for name, path in [*run.weights().items()][:-1]:
        weight = run.snapshots.get(name)
        if weight is not None and weight.shape[-1] > 1 and alike(weight[0]) and alike(weight[-1]):
            measured = (
                f"the {weight.shape[-1]} units of {path} have equal weights at the end of training, as at the start"
            )
            yield symmetric(run.config.layers, path, measured)
            return
