"""Compare the gradients of backpropagation with numerical derivatives."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Draws
from nnfs_cli.nn.model import Model


def numerical_gradient(
    model: Model, x: Array, y: Array, weight: Array | None = None, draws: Draws | None = None
) -> Array:
    """Return the gradient of a batch's loss by every parameter, (n,), from central differences.

    Each entry is (L(w + h) - L(w - h)) / 2h. The step h, the cube root of the machine epsilon, balances the truncation
    error against the rounding error. Raises `ValueError` unless the model is float64.
    Source: Press et al., "Numerical Recipes" (2007), section 5.7.
    """
    if model.dtype != np.float64:
        raise ValueError(f"a numerical gradient needs a float64 model; this one is {model.dtype}")
    w = model.parameters.learned
    scale = model.loss.row_weight(len(x) if weight is None else float(weight.sum()))
    gradient = np.empty_like(w)
    for i, value in enumerate(w.copy()):
        h = np.finfo(np.float64).eps ** (1 / 3) * max(1.0, abs(value))
        w[i] = value + h
        above = model.differentiate(x, y, weight, draws)
        w[i] = value - h
        below = model.differentiate(x, y, weight, draws)
        w[i] = value
        gradient[i] = scale * (above - below) / (2 * h)
    return gradient


def gradient_errors(
    model: Model, x: Array, y: Array, weight: Array | None = None, draws: Draws | None = None
) -> dict[str, float]:
    """Return the largest error of the backpropagated gradient of each array, by name.

    Errors are divided by the largest entry of the whole numerical gradient, or not at all if that is 0.
    """
    numerical = numerical_gradient(model, x, y, weight, draws)
    model.differentiate(x, y, weight, draws)
    errors = np.abs(model.gradients.vector - numerical) / (np.abs(numerical).max(initial=0) or 1.0)
    return {name: float(array.max()) for name, array in model.parameters.layout.arrays(errors).items()}


def gradient_error(model: Model, x: Array, y: Array, weight: Array | None = None, draws: Draws | None = None) -> float:
    """Return the largest error of the backpropagated gradient, divided by the largest entry of the numerical one."""
    return max(gradient_errors(model, x, y, weight, draws).values())
