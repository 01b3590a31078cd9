"""The constant model: it knows nothing of the inputs."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import BlendedModel, Fitted, require
from nnfs_cli.blend.folded_rows import FoldedRows
from nnfs_cli.pipeline.elementwise import add, cast, multiply
from nnfs_cli.pipeline.shapes import take
from nnfs_cli.pipeline.value import Value, constant


class Constant(BlendedModel, name="constant"):
    """The mean of the training rows: how often each class occurs, or the mean target.

    Where the inputs tell nothing about the target, no other model predicts new rows better.
    """

    examples = ("constant",)

    def fit(self, rows: FoldedRows) -> Fitted:
        """Return the means, (sets, outputs)."""
        return {"mean": np.stack([rows.mean_of(rows.fitted_by(k)) for k in range(rows.sets.n)])}

    def outputs(self, fitted: Fitted, X: Array, sets: Array, probable: bool) -> Array:
        """Return the same outputs for all rows."""
        mean = fitted["mean"][sets][:, None]
        return np.broadcast_to(mean, (len(sets), len(X), mean.shape[-1]))

    def operations(self, fitted: Fitted, X: Value, probable: bool) -> Value:
        """Return the means, for every row."""
        zero = multiply(cast(take(X, [0]), "float64"), 0)
        return add(zero, constant(fitted["mean"], "float64", members=True))

    def check(self, fitted: Fitted, n_sets: int, n_inputs: int, n_outputs: int) -> None:
        """Raise `ValueError` unless there is a mean for each set."""
        require(fitted, "mean", (n_sets, n_outputs))
