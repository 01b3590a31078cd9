"""The axes of a map of the plane: round numbers in the units of the data; the map itself is in those of the net."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.ticks import Tick, linear_ticks
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.inputs import NumberInputs

MOST_TICKS = 5
NEAR = 0.09  # of the length of an axis; labels that are nearer to one another would touch
KNOTS = 201  # points at which an axis is computed; between them it is as good as straight
LONG = 5  # characters of a label that still has room beside the map


@dataclass
class PlaneAxis:
    """An axis: its name, and ticks at shares of its length from 0 to 1."""

    name: str
    ticks: list[Tick]

    @property
    def long(self) -> bool:
        """Whether labels are too long to stand beside the map."""
        return any(len(tick.label) > LONG for tick in self.ticks)

    @classmethod
    def both(cls, encoder: Encoder, low: Array, high: Array) -> list[PlaneAxis]:
        """Return the axes of a net with two inputs, both numbers, which are drawn from `low` (2,) to `high` (2,)."""
        encoded = np.linspace(low, high, KNOTS).astype(np.float64)
        recorded = _recorded(encoder, encoded)
        if recorded is None:
            return [cls(f"{name}, as the net takes it", _ticks(encoded[:, j])) for j, name in enumerate(encoder.names)]
        return [cls(name, _ticks(recorded[:, j])) for j, name in enumerate(encoder.names)]


def _recorded(encoder: Encoder, encoded: Array) -> Array | None:
    """Return inputs (points, 2) in the units of the data; None if a step of the preprocessing cannot be undone."""
    columns, at = [], 0
    for block in encoder.inputs:
        if not isinstance(block, NumberInputs) or not all(step.invertible for step in block.steps):
            return None
        columns.append(block.inverse(encoded[:, at : at + len(block.names)], limited=False))
        at += len(block.names)
    found = np.concatenate(columns, axis=1)
    rises = np.isfinite(found).all() and (np.diff(found, axis=0) >= 0).all() and (found[-1] > found[0]).all()
    return found if rises else None


def _ticks(knots: Array) -> list[Tick]:
    """Return ticks for an axis with these numbers (points,) at equal distances, each at its share of the length."""
    shares = np.linspace(0, 1, len(knots))
    kept: list[Tick] = []
    for value, label in linear_ticks(float(knots[0]), float(knots[-1]), MOST_TICKS):
        share = float(np.interp(value, knots, shares))
        if not kept or share - kept[-1].value > NEAR:
            kept.append(Tick(round(share, 4), label))
    return kept
