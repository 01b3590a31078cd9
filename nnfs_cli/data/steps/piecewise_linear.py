"""How far a number has come through each of several bins."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, distance, quantiles, rounding


class PiecewiseLinear(NumberStep, name="piecewise_linear", main="bins"):
    """Spread a number over bins with equally many training rows each, so that a linear layer can bend at their edges.

    With the edges e_0 < ... < e_n, quantiles of the training rows, the i-th of n columns is
    y_i = min(max((x - e_i-1) / (e_i - e_i-1), 0), 1): 1 where x is past the bin, 0 where it is before it, and between
    them within it. Quantiles that are one and the same number make no bin, so a constant column gives none.
    Source: Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning" (2022),
    section 3.2.
    """

    examples = ("piecewise_linear", "piecewise_linear: 4")
    widens = True

    bins: Annotated[int, Field(strict=True, ge=2, le=1_000)] = 16
    """The most columns that a number becomes."""

    def fit(self, column: Array) -> Fit:
        """The edges, with the last one again where others were the same."""
        low, high = float(column.min()), float(column.max())
        distance(low, high)
        edges = np.array(quantiles(column, np.linspace(0, 1, self.bins + 1)))
        edges = edges[np.append(True, np.diff(edges) > rounding(low, high))]
        return {"edges": np.pad(edges, (0, self.bins + 1 - len(edges)), "edge").tolist()}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """(rows, columns) -> (rows, bins of all columns)."""
        edges = statistics["edges"]
        columns, bins = np.nonzero(np.diff(edges))
        left, right = edges[columns, bins], edges[columns, bins + 1]
        through: Array = (np.clip(values[:, columns], left, right) - left) / (right - left)
        return through

    def outputs(self, columns: Sequence[str], statistics: Statistics) -> list[tuple[str, str]]:
        """Each bin by its edges."""
        return [
            (name, f"{left:g} to {right:g}")
            for name, edges in zip(columns, statistics["edges"], strict=True)
            for left, right in pairwise(edges)
            if right > left
        ]
