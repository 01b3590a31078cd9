"""Bars that stand side by side: how many values lie between two edges."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.series import Frame, Look, Series, as_floats, span
from nnfs_cli.charts.svg import element


class Histogram(Series):
    """Bars of `heights` (n,) between `edges` (n + 1,), such as `numpy.histogram` returns, turned round.

    Several histograms may lie over each other: each is an outline over a light area.
    """

    from_zero = True

    def __init__(self, edges: object, heights: object, name: str = "") -> None:
        self.edges, self.heights, self.name = as_floats(edges), as_floats(heights), name

    def extent(self) -> tuple[Array, Array]:
        """Return the edges, and the heights with 0."""
        return self.edges, np.r_[0.0, self.heights]

    def draw(self, frame: Frame, look: Look) -> str:
        """Return the outline and its area."""
        if not (len(self.heights) and np.isfinite(self.edges).all()):
            return ""
        heights = np.where(np.isfinite(self.heights), self.heights, 0.0)
        (base,), tops = (frame.y.place(frame.y.clip(values)) for values in (np.zeros(1), heights))
        edges = frame.x.place(frame.x.clip(self.edges))
        steps = "".join(f"V{y:g}H{x:g}" for y, x in zip(tops.tolist(), edges[1:].tolist(), strict=True))
        return _outlined(f"M{edges[0]:g},{base:g}{steps}V{base:g}", look)

    def swatch(self, x: float, y: float, look: Look) -> str:
        """Return a box."""
        return _outlined(f"M{x:g},{y + 5:g}v-10h20v10", look)

    def described(self) -> str:
        """Return the number of bars and where the highest one is."""
        if not np.isfinite(self.heights).any():
            return f"{self.name or 'histogram'}: no bars"
        top = int(np.nanargmax(self.heights))
        place = f"{self.edges[top]:.4g} and {self.edges[top + 1]:.4g}"
        highest = f"the highest, {self.heights[top]:.4g}, between {place}"
        return f"{self.name or 'histogram'}: {len(self.heights)} bars over {span(self.edges)}, {highest}"


def _outlined(outline: str, look: Look) -> str:
    """Return a line with a light area below it."""
    return element("path", d=f"{outline}Z", **look.fill) + element("path", d=outline, **look.stroke)
