"""Statistics of the layers and parameters of a net, from one observed pass."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import PIECE, Array
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.nn.probes import Observer

MARGIN = 0.01  # a number is saturated if it is closer to a bound than this share of the range


class LayerStatistics(Observer):
    """The statistics of a pass, in `figures`: a number for each ``<path>.<quantity>.<statistic>``.

    Of the outputs of a layer, over all rows, units and members: `mean`, `std`, `min` and `max`; `zeros`, the share of
    numbers that are 0; `dead`, the share of units that are 0 for every row; and `saturated`, the share of numbers that
    are within 1 % of a bound of the range, or NaN if the range is not bounded on both sides. Of the gradient dL/dy by
    the outputs of a layer: its Euclidean `norm`, or NaN where it is not computed.
    """

    def __init__(self, rows_axis: int) -> None:
        self.figures: dict[str, float] = {}
        self._rows_axis = rows_axis

    def forward(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        """Add the statistics of the output."""
        numbers = y.reshape(-1)
        mean = float(np.add.reduce(numbers, dtype=np.float64)) / numbers.size
        active = y != 0
        figures = {
            "mean": mean,
            "std": norm(numbers - mean) / math.sqrt(numbers.size),
            "min": float(np.minimum.reduce(numbers)),
            "max": float(np.maximum.reduce(numbers)),
            "zeros": 1 - np.count_nonzero(active) / numbers.size,
            "dead": 1 - float(np.logical_or.reduce(active, axis=self._rows_axis).mean()),
            "saturated": _saturated(numbers, layer.output_range),
        }
        self.figures |= {f"{path}.output.{name}": figure for name, figure in figures.items()}
        self.figures[f"{path}.gradient.norm"] = math.nan

    def backward(self, path: str, layer: Layer, dy: Array, dx: Array | None, g: Views) -> None:
        """Add the norm of the gradient."""
        self.figures[f"{path}.gradient.norm"] = norm(dy)


def parameter_statistics(
    weights: Mapping[str, Array], gradients: Mapping[str, Array], updates: Mapping[str, float]
) -> dict[str, float]:
    """Return the `norm` of each parameter, and of what is learned also that of its `gradient` and the last `update`."""
    figures = {}
    for name, array in weights.items():
        figures[f"{name}.norm"] = norm(array)
        if name in gradients:
            figures[f"{name}.gradient"] = norm(gradients[name])
            figures[f"{name}.update"] = updates.get(name, math.nan)
    return figures


def relative_change(before: Array, after: Array) -> float:
    """Return the norm of the change divided by the norm of what it led to; NaN if that is 0."""
    length = norm(after)
    return norm(after, before) / length if length else math.nan


def norm(array: Array, minus: Array | None = None) -> float:
    """Return the Euclidean norm of all numbers, or of their differences from another array."""
    numbers, others = array.reshape(-1), None if minus is None else minus.reshape(-1)
    square = 0.0
    for start in range(0, numbers.size, PIECE):  # a large array would need twice its memory in float64
        piece = numbers[start : start + PIECE].astype(np.float64)
        if others is not None:
            piece -= others[start : start + PIECE]
        square += float(piece.dot(piece))
    return math.sqrt(square)


def _saturated(numbers: Array, bounds: tuple[float, float] | None) -> float:
    """Return the share of numbers that are close to a bound; NaN unless both bounds are finite."""
    if bounds is None or not all(map(math.isfinite, bounds)):
        return math.nan
    low, high = bounds
    margin = MARGIN * (high - low)
    return float(np.count_nonzero((numbers < low + margin) | (numbers > high - margin))) / numbers.size
