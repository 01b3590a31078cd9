"""Points, such as the rows of a table."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.series import Frame, Look, Series, as_floats, span
from nnfs_cli.charts.svg import element
from nnfs_cli.charts.thin import thinned_points

MOST = 2_000  # points of one series that are drawn
SHAPES = (
    "h0",
    "h0",
    "m-3,2.5l3,-5l3,5z",
    "m0,-3.5l3,3.5l-3,3.5l-3,-3.5z",
    "m-2.5,-2.5l5,5m0,-5l-5,5",
    "m-3,0h6m-3,-3v6",
)
CAPS = ("round", "square")  # of lines without length, which are dots


class Points(Series):
    """Points at (x, y), with a marker of their own for each series. Of a crowd of points some are left out."""

    margin = (0.04, 0.06)

    def __init__(self, x: object, y: object, name: str = "") -> None:
        self.x, self.y, self.name = as_floats(x), as_floats(y), name

    def extent(self) -> tuple[Array, Array]:
        """Return all numbers."""
        finite = np.isfinite(self.x) & np.isfinite(self.y)
        return self.x[finite], self.y[finite]

    def draw(self, frame: Frame, look: Look) -> str:
        """Return one path with a marker for each point."""
        shown = frame.x.shows(self.x) & frame.y.shows(self.y)
        x, y = frame.x.place(self.x[shown]), frame.y.place(self.y[shown])
        if not x.size:
            return ""
        kept = thinned_points(x, y, MOST)
        shape = SHAPES[look.number % len(SHAPES)]
        path = "".join(f"M{a:g},{b:g}{shape}" for a, b in zip(x[kept].tolist(), y[kept].tolist(), strict=True))
        return _markers(path, look, 0.75 if len(kept) < 300 else 0.5)

    def swatch(self, x: float, y: float, look: Look) -> str:
        """Return one marker."""
        return _markers(f"M{x + 10:g},{y:g}{SHAPES[look.number % len(SHAPES)]}", look, 1.0)

    def described(self) -> str:
        """Return how many points there are, and their ranges."""
        x, y = self.extent()
        return f"{self.name or 'points'}: {len(x):,} points, x {span(x)}, y {span(y)}"


def _markers(path: str, look: Look, opacity: float) -> str:
    number = look.number % len(SHAPES)
    dot = number < len(CAPS)
    return element(
        "path",
        d=path,
        class_=f"ch-line {look.colour}",
        fill="none",
        stroke="currentColor",
        stroke_width=(5.0, 4.4)[number] if dot else 1.3,
        stroke_linecap=CAPS[number] if dot else None,
        opacity=opacity,
    )
