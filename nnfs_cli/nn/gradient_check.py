"""Compare the gradients of backpropagation through a whole net with numerical derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Draws
from nnfs_cli.nn.differences import Compared, derivative
from nnfs_cli.nn.model import Model

Indices = Sequence[tuple[int, ...]]


def compare_entries(
    model: Model,
    x: Array,
    y: Array,
    weight: Array | None = None,
    draws: Draws | None = None,
    mean_total: float | None = None,
    where: Mapping[str, Indices] | None = None,
) -> dict[str, list[Compared]]:
    """Compare the gradient of a batch's loss by entries of the parameters with numerical derivatives, by name.

    The batch is that of `Model.differentiate`. `where` gives the indices of the entries to compare, by default of all.
    The parameters stay as they are, and the gradient of the batch stays in the model. Raises `ValueError` unless the
    model is float64 and has no members.
    """
    if model.dtype != np.float64 or model.members > 1:
        kind = model.dtype if model.members == 1 else f"an ensemble of {model.members}"
        raise ValueError(f"a numerical gradient needs a float64 model; this one is {kind}")
    before, learned = model.parameters.vector.copy(), model.parameters.learned.size
    total = mean_total or (len(x) if weight is None else float(weight.sum())) or 1.0
    scale = np.array([model.loss.row_weight(total)])

    def loss() -> Array:
        summed = model.differentiate(x, y, weight, draws, mean_total)
        model.parameters.vector[learned:] = before[learned:]  # running statistics
        return np.array([summed])

    here = loss()
    gradient = model.gradients.vector.copy()
    found = {}
    for name, own in model.parameters.layout.arrays(gradient).items():
        indices = [*np.ndindex(own.shape)] if where is None else where.get(name, ())
        array = model.parameters.arrays[name]
        found[name] = [
            Compared(index, float(own[index]), *derivative(loss, scale, array, index, here)) for index in indices
        ]
    model.gradients.vector[...] = gradient
    return found


def numerical_gradient(
    model: Model, x: Array, y: Array, weight: Array | None = None, draws: Draws | None = None
) -> Array:
    """Return the gradient of a batch's loss by every parameter, (n,), from central differences.

    Raises `ValueError` unless the model is float64.
    """
    gradient = np.empty_like(model.gradients.vector)
    entries = compare_entries(model, x, y, weight, draws)
    for name, array in model.parameters.layout.arrays(gradient).items():
        array[...] = np.reshape([entry.numerical for entry in entries[name]], array.shape)
    return gradient


def gradient_errors(
    model: Model, x: Array, y: Array, weight: Array | None = None, draws: Draws | None = None
) -> dict[str, float]:
    """Return the largest error of the backpropagated gradient of each array, by name.

    Errors are divided by the largest entry of the whole numerical gradient, or not at all if that is 0. Entries at a
    kink, such as that of relu at 0, are left out.
    """
    entries = compare_entries(model, x, y, weight, draws)
    smooth = {name: [entry for entry in several if not entry.kink] for name, several in entries.items()}
    largest = max((abs(entry.numerical) for several in smooth.values() for entry in several), default=0.0) or 1.0
    return {name: max((entry.error for entry in several), default=0.0) / largest for name, several in smooth.items()}


def gradient_error(model: Model, x: Array, y: Array, weight: Array | None = None, draws: Draws | None = None) -> float:
    """Return the largest error of the backpropagated gradient, divided by the largest entry of the numerical one."""
    return max(gradient_errors(model, x, y, weight, draws).values())
