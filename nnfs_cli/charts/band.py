"""A band between two lines, such as the range of the members of an ensemble."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.series import Frame, Look, Series, as_floats, span
from nnfs_cli.charts.svg import element
from nnfs_cli.charts.thin import thinned_curve


class Band(Series):
    """The area between `low` and `high` along x. Points that are not finite are left out."""

    def __init__(self, x: object, low: object, high: object, name: str = "") -> None:
        self.x, self.low, self.high, self.name = as_floats(x), as_floats(low), as_floats(high), name

    def extent(self) -> tuple[Array, Array]:
        """Return all numbers."""
        return self.x, np.concatenate([self.low, self.high])

    def draw(self, frame: Frame, look: Look) -> str:
        """Return one filled path."""
        shown = frame.x.shows(self.x) & frame.y.shows(self.low) & frame.y.shows(self.high)
        if not shown.any():
            return ""
        x, low, high = (
            scale.place(values[shown])
            for scale, values in ((frame.x, self.x), (frame.y, self.low), (frame.y, self.high))
        )
        kept = thinned_curve(high)
        corners = [*zip(x[kept], high[kept], strict=True), *zip(x[kept][::-1], low[kept][::-1], strict=True)]
        return element("path", d="M" + " ".join(f"{a:g},{b:g}" for a, b in corners) + "Z", **look.fill)

    def swatch(self, x: float, y: float, look: Look) -> str:
        """Return a filled box."""
        return element("path", d=f"M{x:g},{y - 5:g}h20v10h-20Z", **look.fill)

    def described(self) -> str:
        """Return the range of the band."""
        return f"{self.name or 'band'}: between {span(self.low)} and {span(self.high)}, x {span(self.x)}"
