"""The contract of a model that is blended with an ensemble of nets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.folded_rows import FoldedRows
from nnfs_cli.components.component import Component
from nnfs_cli.pipeline.elementwise import add, multiply, tanh
from nnfs_cli.pipeline.shapes import softmax
from nnfs_cli.pipeline.value import Value

Fitted = Mapping[str, Array]  # what a model has learned, by name; plain arrays, which a run can keep


class BlendedModel(Component, family="blended model"):
    """A model of the net's inputs, which is fitted without each fold in turn, as the members of the ensemble are.

    Its outputs are those of the net: probabilities, or numbers in the net's units. So the outputs for the rows of a
    fold come from a model that has not seen them.
    """

    needs = ("fit", "outputs", "check")
    operations_of: ClassVar[Mapping[str, str]] = {"operations": "outputs"}
    strength: ClassVar[float] = 0.0
    """How much the model is expected to count beside others, before any row has been looked at."""
    by_row: ClassVar[bool] = True
    """Whether the outputs for a row have the same bytes whatever rows come with it."""

    def fit(self, rows: FoldedRows) -> Fitted:
        """Fit the model once for each set of rows that leaves out a fold."""
        raise NotImplementedError

    def outputs(self, fitted: Fitted, X: Array, sets: Array, probable: bool) -> Array:
        """Return the outputs (sets, rows, outputs), float64, of the models fitted to some sets, given by index.

        They are probabilities if `probable`, else numbers.
        """
        raise NotImplementedError

    def operations(self, fitted: Fitted, X: Value, probable: bool) -> Value:
        """Return `outputs` of all sets, its members, as operations of a pipeline: (inputs,) -> (outputs,) "float64"."""
        raise NotImplementedError

    def check(self, fitted: Fitted, n_sets: int, n_inputs: int, n_outputs: int) -> None:
        """Raise `ValueError` unless the arrays are what `fit` returns for a net of this size."""
        raise NotImplementedError


ABSENT = -10.0  # the logit of a class that no row of a set has


def probabilities(z: Array) -> Array:
    """Return the sigmoid of single logits (..., 1), or the softmax of several (..., n)."""
    if z.shape[-1] == 1:
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z))
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(p / p.sum(axis=-1, keepdims=True))


def probability_operations(z: Value) -> Value:
    """Return `probabilities` as operations of a pipeline."""
    return softmax(z) if z.width > 1 else add(multiply(tanh(multiply(z, 0.5)), 0.5), 0.5)


def require(fitted: Fitted, name: str, shape: tuple[int | None, ...], kind: str = "f", finite: bool = True) -> Array:
    """Return an array of this name; None stands for any length.

    Raise `ValueError` if it has another shape or kind, or holds a number that is not finite, unless it may.
    """
    array = fitted.get(name)
    if array is None or array.dtype.kind != kind or array.ndim != len(shape):
        raise ValueError(f"it lacks the array '{name}' of a blended model")
    if any(n is not None and n != found for n, found in zip(shape, array.shape, strict=True)):
        raise ValueError(f"its array '{name}' does not fit the net")
    if finite and not np.isfinite(array).all():
        raise ValueError(f"its array '{name}' has a number that is not finite")
    return array
