"""A plane in colours, such as what a net predicts at each point of its two inputs."""

from __future__ import annotations

import itertools

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.series import COLOURS, Frame, Look, Series
from nnfs_cli.charts.svg import element

LEVELS = 8  # of strength
STRONGEST = 0.4  # opacity, so that points over the surface stand out


class Surface(Series):
    """A grid of cells over a rectangle, each with a colour and a strength.

    `x` and `y` are the (low, high) of the rectangle; `colours` (rows, columns) are numbers of colours, the first row
    at the low end of y; `strengths`, of the same shape, are shares between 0 (as the page) and 1 (the full colour).
    `meaning` says in words what the colours show.
    """

    margin = (0.0, 0.0)
    name = ""

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        colours: object,
        strengths: object,
        meaning: str = "colours show the prediction",
    ) -> None:
        self.x, self.y, self.meaning = x, y, meaning
        self.colours = np.asarray(colours, dtype=int) % COLOURS
        self.levels = np.round(np.clip(np.asarray(strengths, dtype=float), 0, 1) * LEVELS).astype(int)

    def extent(self) -> tuple[Array, Array]:
        """Return the edges of the rectangle."""
        return np.array(self.x, dtype=float), np.array(self.y, dtype=float)

    def draw(self, frame: Frame, look: Look) -> str:
        """Return one path for each colour and strength; neighbours in a row are one box."""
        rows, columns = self.colours.shape
        xs = frame.x.place(np.linspace(*self.x, columns + 1))
        ys = frame.y.place(np.linspace(*self.y, rows + 1))
        paths: dict[tuple[int, int], list[str]] = {}
        for row in range(rows):
            keys = self.colours[row] * (LEVELS + 1) + self.levels[row]
            edges = [0, *(np.flatnonzero(np.diff(keys)) + 1).tolist(), columns]
            for first, last in itertools.pairwise(edges):
                box = f"M{xs[first]:g},{ys[row]:g}H{xs[last]:g}V{ys[row + 1]:g}H{xs[first]:g}Z"
                paths.setdefault(divmod(int(keys[first]), LEVELS + 1), []).append(box)
        return "".join(
            element(
                "path",
                d="".join(boxes),
                class_=f"ch-area ch-{colour}",
                fill="currentColor",
                fill_opacity=STRONGEST * level / LEVELS,
                shape_rendering="crispEdges",
            )
            for (colour, level), boxes in sorted(paths.items())
            if level
        )

    def described(self) -> str:
        """Return what the colours mean."""
        return f"a plane of {self.colours.shape[1]} x {self.colours.shape[0]} cells: {self.meaning}"
