"""Numbers spread over bins, which a linear layer can weight one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, finite_range, rounding_error
from nnfs_cli.data.weighted import quantiles
from nnfs_cli.pipeline.elementwise import clip, divide, subtract
from nnfs_cli.pipeline.shapes import take
from nnfs_cli.pipeline.value import Value


class PiecewiseLinear(NumberStep, name="piecewise_linear", main="bins"):
    """Spread a number over bins that hold equally many training rows; a linear layer can then bend at their edges.

    With edges e_0 < ... < e_n, column i of n is y_i = min(max((x - e_i-1) / (e_i - e_i-1), 0), 1): 0 if x lies below
    the bin, 1 if it lies above, and in between if it lies within.

    Fitted: the edges, which are quantiles of the training rows. Equal quantiles make no bin, so a constant column
    produces no columns.
    Source: Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning" (2022),
    section 3.2.
    """

    examples = ("piecewise_linear", "piecewise_linear: 4")
    widens = True

    bins: Annotated[int, Field(strict=True, ge=2, le=1_000)] = Field(default=16, kw_only=False)
    """Largest number of bins, each of which becomes a column."""

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return the edges, (bins + 1,); the last edge repeats in place of edges that were equal."""
        low, high = float(column.min()), float(column.max())
        finite_range(low, high)
        edges = np.array(quantiles(column, np.linspace(0, 1, self.bins + 1), weights))
        edges = edges[np.append(True, np.diff(edges) > rounding_error(low, high))]
        return {"edges": np.pad(edges, (0, self.bins + 1 - len(edges)), "edge").tolist()}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Transform values (rows, columns) into (rows, bins of all columns)."""
        return self.ready(statistics)(values)

    def ready(self, statistics: Statistics) -> Callable[[Array], Array]:
        """Return `transform` with these statistics; the ends of all bins are listed once."""
        columns, left, right = _bins(statistics)
        width = right - left

        def transform(values: Array) -> Array:
            through: Array = values.take(columns, axis=1)
            through.clip(left, right, out=through)
            through -= left
            through /= width
            return through

        return transform

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return (min(max(x, left), right) - left) / (right - left) for each bin from left to right."""
        columns, left, right = _bins(statistics)
        return divide(subtract(clip(take(values, columns), left, right), left), right - left)

    def outputs(self, columns: Sequence[str], statistics: Statistics) -> list[tuple[str, str]]:
        """Return each bin, named by its edges."""
        return [
            (name, f"{left:g} to {right:g}")
            for name, edges in zip(columns, statistics["edges"], strict=True)
            for left, right in pairwise(edges)
            if right > left
        ]


def _bins(statistics: Statistics) -> tuple[Array, Array, Array]:
    """Return the column (bins,), by index, and the left and the right edge (bins,) of each bin of all columns."""
    edges = statistics["edges"]
    columns, bins = np.nonzero(np.diff(edges))
    return columns, edges[columns, bins], edges[columns, bins + 1]
