"""A line through points, such as the loss by epoch."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.series import Frame, Look, Series, as_floats, span
from nnfs_cli.charts.svg import element, polyline
from nnfs_cli.charts.thin import thinned_curve

FAINT = 0.35  # opacity of one of many lines


class Line(Series):
    """A line through the points (x, y), in their order. Points that are not finite leave a gap.

    `quiet` draws a thin grey line, for what the others are compared with, and `faint` one of many that stay in the
    background. `name` is shown in the legend; "" is no entry.
    """

    def __init__(self, x: object, y: object, name: str = "", *, quiet: bool = False, faint: bool = False) -> None:
        self.x, self.y, self.name = as_floats(x), as_floats(y), name
        self.quiet, self._faint = quiet or faint, faint

    def extent(self) -> tuple[Array, Array]:
        """Return all numbers."""
        return self.x, self.y

    def draw(self, frame: Frame, look: Look) -> str:
        """Return one path; its parts between gaps are thinned."""
        shown = frame.x.shows(self.x) & frame.y.shows(self.y)
        edges = np.flatnonzero(np.diff(np.r_[False, shown, False]))
        paths = []
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            x, y = frame.x.place(self.x[first:last]), frame.y.place(self.y[first:last])
            kept = thinned_curve(y)
            paths.append(polyline(x[kept], y[kept]))
        stroke = {**look.stroke, "stroke_dasharray": None, "opacity": FAINT} if self._faint else look.stroke
        return element("path", d="".join(paths), **stroke) if paths else ""

    def pixels(self, frame: Frame) -> Array:
        """Return points along the line, 2 pixels apart in x."""
        shown = frame.x.shows(self.x) & frame.y.shows(self.y)
        if not shown.any():
            return np.empty((0, 2))
        x, y = frame.x.place(self.x[shown]), frame.y.place(self.y[shown])
        order = np.argsort(x, kind="stable")
        along = np.arange(x.min(), x.max() + 1, 2)
        return np.stack([along, np.interp(along, x[order], y[order])], axis=1)

    def described(self) -> str:
        """Return the first, the last and the range of y."""
        finite = np.isfinite(self.x) & np.isfinite(self.y)
        if not finite.any():
            return f"{self.name or 'line'}: no finite value"
        y, left_out = self.y[finite], int((~finite).sum())
        ends = f"from {y[0]:.4g} to {y[-1]:.4g}, lowest {y.min():.4g}, highest {y.max():.4g}"
        gaps = f", {left_out:,} values are not finite" if left_out else ""
        return f"{self.name or 'line'}: {ends}, x {span(self.x[finite])}{gaps}"
