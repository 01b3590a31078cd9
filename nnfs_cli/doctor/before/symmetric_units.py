"""Units that begin alike and so stay alike."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.arrays import Array
from nnfs_cli.doctor.alike_units import alike, symmetric
from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis

STEPS = 20


def symmetric_units(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the first hidden layer whose units have equal weights, before some steps and after them."""
    before = _hidden_weights(subject.net().parameters.arrays)
    found = [name for name, weight in before.items() if alike(weight)]
    if not found or not subject.trials.affords(len(subject.sample), STEPS):
        return
    after = subject.trials.weights_after(subject.sample, STEPS)
    for name in found:
        if alike(after[name]):
            path = f"layers.{name.removesuffix('.weight')}"
            units = before[name].shape[1]
            measured = f"the {units} units of {path} have equal weights, and still do after {STEPS} steps"
            yield symmetric(subject.config.layers, path, measured)
            return


def _hidden_weights(arrays: dict[str, Array]) -> dict[str, Array]:
    """Return the weight matrices of at least two units, but not the last one, whose units are the outputs."""
    matrices = {name: array for name, array in arrays.items() if name.endswith(".weight") and array.ndim == 2}
    return {name: array for name, array in list(matrices.items())[:-1] if array.shape[1] > 1 and "." in name}
