"""What can be drawn in the frame of a chart, and how series are told apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.scale import Scale
from nnfs_cli.charts.svg import element, text, text_width

COLOURS = 8  # classes ch-0 ... ch-7 of the style sheet
DASHES = (None, "6 3", "2 2.5", "8 3 2 3", "10 4", "4 2 1 2 1 2", "1 4", "12 3 3 3")


@dataclass(frozen=True)
class Frame:
    """The scales of the two axes."""

    x: Scale
    y: Scale


@dataclass(frozen=True)
class Look:
    """How the series of this number looks; `quiet` ones stand back."""

    number: int
    quiet: bool = False

    @property
    def colour(self) -> str:
        """The class that gives the colour."""
        return "ch-quiet" if self.quiet else f"ch-{self.number % COLOURS}"

    @property
    def stroke(self) -> dict[str, object]:
        """The attributes of a line."""
        dash = "3 3" if self.quiet else DASHES[self.number % len(DASHES)]
        return {
            "class_": f"ch-line {self.colour}",
            "fill": "none",
            "stroke": "currentColor",
            "stroke_width": 1.0 if self.quiet else 1.8,
            "stroke_dasharray": dash,
            "stroke_linecap": "round" if dash is None else None,
            "stroke_linejoin": "round",
        }

    @property
    def fill(self) -> dict[str, object]:
        """The attributes of an area."""
        return {"class_": f"ch-area {self.colour}", "fill": "currentColor", "fill_opacity": 0.22}


class Series(ABC):
    """Numbers that a chart draws, with a name for the legend ("": none)."""

    name: str
    quiet: bool = False  # drawn thin and grey
    from_zero: ClassVar[bool] = False  # whether the y axis has to begin at 0
    margin: ClassVar[tuple[float, float]] = (0.0, 0.06)  # around the data, as shares of the range of x and y

    @abstractmethod
    def extent(self) -> tuple[Array, Array]:
        """Return the numbers that the x and the y axis have to hold."""

    @abstractmethod
    def draw(self, frame: Frame, look: Look) -> str:
        """Return the SVG of this series."""

    def pixels(self, frame: Frame) -> Array:
        """Return points (n, 2) along what is drawn, which the texts of notes keep clear of."""
        return np.empty((0, 2))

    @abstractmethod
    def described(self) -> str:
        """Return what the series shows, in a sentence without a full stop, for those who cannot see it."""

    def swatch(self, x: float, y: float, look: Look) -> str:
        """Return a sample of 20 x 10 pixels for the legend; (x, y) is the middle of its left side."""
        return element("path", d=f"M{x:g},{y:g}h20", **look.stroke)


def as_floats(values: object) -> Array:
    """Return an array of floats of one axis."""
    return np.asarray(values, dtype=float).ravel()


def span(values: Array) -> str:
    """Return the range of the finite values in words."""
    values = values[np.isfinite(values)]
    if not values.size:
        return "no finite value"
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def legend(entries: list[tuple[Series, Look]], left: float, top: float, width: float) -> tuple[str, float]:
    """Return the legend, and how high it is. Entries flow into rows."""
    drawn, x, row = [], left, 0
    for series, look in entries:
        needed = 26 + text_width(series.name) + 16
        if x > left and x + needed > left + width:
            x, row = left, row + 1
        middle = top + 8 + 18 * row
        drawn.append(series.swatch(x, middle, look) + text(x + 26, middle + 4, series.name, class_="ch-text"))
        x += needed
    return "".join(drawn), (18.0 * (row + 1) + 4 if entries else 0.0)
