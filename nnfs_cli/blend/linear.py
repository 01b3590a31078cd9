"""The linear model: what a sum over the inputs can say."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import ABSENT, BlendedModel, Fitted, probabilities, probability_operations, require
from nnfs_cli.blend.folded_rows import FoldedRows
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.pipeline.elementwise import add, cast, clip
from nnfs_cli.pipeline.shapes import matmul, take
from nnfs_cli.pipeline.value import Value, constant
from nnfs_cli.system.ignored_warnings import ignored_warnings


class LinearModel(BlendedModel, name="linear", main="penalty"):
    """Ridge regression of numbers, or logistic regression of classes, by scikit-learn.

    y = f(x W + b), with f the identity, the sigmoid or the softmax. The sum of the losses plus penalty / 2 · Σ W² is
    minimized. Numbers stay within the range of the training rows. Categories with learned vectors are left out.
    Source: Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning" (2009), sections 3.4 and 4.4.
    """

    examples = ("linear", "linear: 10")
    by_row = False  # a product of other sizes may be rounded in another way

    penalty: PositiveFloat = Field(default=1.0, kw_only=False)
    """Factor of the penalty on large weights."""

    def fit(self, rows: FoldedRows) -> Fitted:
        """Return weights (sets, inputs, outputs), biases (sets, outputs), and which inputs they are for."""
        columns = np.setdiff1d(rows.plain, rows.codes)
        fits = rows.for_each(lambda k: self._fit(rows, columns, k))
        return {
            "columns": columns,
            "weight": np.stack([weight for weight, _ in fits]),
            "bias": np.stack([bias for _, bias in fits]),
            "range": np.stack([_range(rows.as_outputs(rows.fitted_by(k))) for k in range(rows.sets.n)]),
        }

    def _fit(self, rows: FoldedRows, columns: Array, k: int) -> tuple[Array, Array]:
        from sklearn.linear_model import LogisticRegression, Ridge

        some, n = rows.fitted_by(k), rows.n_outputs
        X, y, weight = rows.X[np.ix_(some, columns)].astype(np.float64), rows.target[some], rows.weight_of(some)
        found: Any
        if not rows.n_classes:
            found = Ridge(alpha=self.penalty).fit(X, y, weight)
            return np.asarray(found.coef_.reshape(n, -1).T), np.array(found.intercept_).reshape(n)
        classes = np.unique(y)
        weights, bias = np.zeros((len(columns), max(n, 2))), np.full(max(n, 2), ABSENT)
        if len(classes) < 2:  # the set holds a single class
            bias[classes] = 0
        else:
            with ignored_warnings():  # such as that the fit has not quite converged
                found = LogisticRegression(C=1 / self.penalty, max_iter=300).fit(X, y, weight)
            both = np.array([-0.5, 0.5]) if len(classes) == 2 else 1  # of two classes, there is one logit
            weights[:, classes], bias[classes] = found.coef_.T * both, found.intercept_ * both
        return (weights, bias) if n > 1 else (np.diff(weights), np.diff(bias))

    def outputs(self, fitted: Fitted, X: Array, sets: Array, probable: bool) -> Array:
        """Return f(x W + b)."""
        z = X[:, fitted["columns"]].astype(np.float64) @ fitted["weight"][sets] + fitted["bias"][sets][:, None]
        return probabilities(z) if probable else np.clip(z, *fitted["range"][sets].swapaxes(0, 1)[:, :, None])

    def operations(self, fitted: Fitted, X: Value, probable: bool) -> Value:
        """Return f(x W + b)."""
        weight, bias = (constant(fitted[name], "float64", members=True) for name in ("weight", "bias"))
        z = add(matmul(cast(take(X, fitted["columns"]), "float64"), weight), bias)
        if probable:
            return probability_operations(z)
        return clip(z, *(constant(end, "float64", members=True) for end in fitted["range"].swapaxes(0, 1)))

    def check(self, fitted: Fitted, n_sets: int, n_inputs: int, n_outputs: int) -> None:
        """Raise `ValueError` unless the arrays fit each other and the net."""
        columns = require(fitted, "columns", (None,), "i")
        require(fitted, "weight", (n_sets, len(columns), n_outputs))
        require(fitted, "bias", (n_sets, n_outputs))
        require(fitted, "range", (n_sets, 2, n_outputs))
        if (columns < 0).any() or (columns >= n_inputs).any():
            raise ValueError("its linear model has other inputs than the net")


def _range(outputs: Array) -> Array:
    """Return the least and the largest of the outputs (rows, outputs), (2, outputs)."""
    return np.stack([outputs.min(axis=0), outputs.max(axis=0)])
