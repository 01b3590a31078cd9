"""Units that begin alike and so stay alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.doctor.before.initial_weights import usual_initializers
from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis

STEPS = 20
EQUAL = 1e-6  # of the largest weight


def symmetric_units(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the first hidden layer whose units have equal weights, before some steps and after them."""
    before = _hidden_weights(subject.net().parameters.arrays)
    alike = [name for name, weight in before.items() if _equal(weight)]
    if not alike or not subject.trials.affords(len(subject.sample), STEPS):
        return
    after = subject.trials.weights_after(subject.sample, STEPS)
    for name in alike:
        if _equal(after[name]):
            path = f"layers.{name.removesuffix('.weight')}"
            units = before[name].shape[1]
            remedy, edits = usual_initializers(subject.config.layers, path)
            yield Diagnosis(
                "symmetric_units",
                "warning",
                f"the {units} units of {path} have equal weights, and still do after {STEPS} steps",
                "units that begin alike get the same gradient, so the layer never does more than one unit could",
                remedy or "an initializer that draws random numbers, such as init: uniform_fan_in",
                edits,
            )
            return


def _hidden_weights(arrays: dict[str, Array]) -> dict[str, Array]:
    """Return the weight matrices of at least two units, but not the last one, whose units are the outputs."""
    matrices = {name: array for name, array in arrays.items() if name.endswith(".weight") and array.ndim == 2}
    return {name: array for name, array in list(matrices.items())[:-1] if array.shape[1] > 1 and "." in name}


def _equal(weight: Array) -> bool:
    return bool(np.ptp(weight, axis=1).max() <= EQUAL * max(float(np.abs(weight).max()), 1e-30))
