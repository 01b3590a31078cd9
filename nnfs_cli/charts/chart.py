"""A chart: series in a frame with a title, axes with units, and a legend."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnfs_cli.charts.annotations import Mark, Rule
from nnfs_cli.charts.scale import Scale
from nnfs_cli.charts.series import Frame, Look, Series, legend
from nnfs_cli.charts.svg import element, picture, shortened, text, text_width
from nnfs_cli.charts.ticks import Tick

X_TICK, Y_TICK = 60, 34  # pixels between ticks, at least


@dataclass(frozen=True)
class Chart:
    """Series over each other in one frame.

    The labels of the axes name what they show with its unit, such as "epoch" or "time (s)". An axis holds all its
    data unless `x_range` or `y_range` sets its ends; what lies outside is not drawn. `width` and `height` are the
    pixels of the picture, which a page may scale. `description` is added to the text alternative.

    >>> from nnfs_cli.charts.line import Line
    >>> chart = Chart("Loss", "epoch", "loss", [Line([1, 2, 3], [0.9, 0.5, 0.4], "train")])
    >>> chart.svg()[:38]
    '<svg class="chart" role="img" viewBox='
    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    notes: Sequence[Mark | Rule] = ()
    x_log: bool = False
    y_log: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    width: int = 420
    height: int = 270
    description: str = ""

    def svg(self) -> str:
        """Return the chart as one SVG element."""
        shown = [series for series in self.series if series.name]
        looks = self._looks()
        entries = [(series, look) for series, look in zip(self.series, looks, strict=True) if series.name]
        keys, key_height = legend(entries if len(shown) > 1 else [], 0, 28, self.width)
        top, bottom = 28 + key_height + 24, self.height - 40
        y = self._scale(1, bottom, top)
        y_ticks = y.ticks(max(3, int((bottom - top) / Y_TICK)))
        left = 8 + max((text_width(tick.label) for tick in y_ticks), default=0.0)
        x = self._scale(0, left, self.width - 12)
        x_ticks = self._spaced(x)
        frame = Frame(x, y)
        crowd = np.concatenate([np.empty((0, 2)), *(series.pixels(frame) for series in self.series)])
        content = [
            keys,
            text(0, top - 13, shortened(self.y_label, self.width), class_="ch-label", opacity=0.8),
            text((left + self.width - 12) / 2, self.height - 6, self.x_label, "middle", class_="ch-label", opacity=0.8),
            _grid(frame, x_ticks, y_ticks),
            *(series.draw(frame, look) for series, look in zip(self.series, looks, strict=True)),
            *(note.draw(frame, crowd) for note in self.notes),
        ]
        scales = {"data_x": _numbers(x), "data_y": _numbers(y)}
        return picture(self.title, self.described(), "".join(content), self.width, self.height, **scales)

    __html__ = _repr_html_ = svg  # templates and notebooks show a chart as it is

    def described(self) -> str:
        """Return what the chart shows, in words."""
        axes = f"{self.y_label} against {self.x_label}"
        parts = [self.description, axes, *(part.described() for part in (*self.series, *self.notes))]
        return ". ".join(part for part in parts if part) + "."

    def _looks(self) -> list[Look]:
        """Return how each series looks; quiet ones and those without a name of their own use up no colour."""
        looks, number = [], 0
        for series in self.series:
            looks.append(Look(number, series.quiet))
            number += bool(series.name) and not series.quiet
        return looks

    def _scale(self, axis: int, start: float, end: float) -> Scale:
        """Return the scale of the x (0) or y (1) axis, in pixels from `start` to `end`."""
        log, limits = (self.x_log, self.x_range) if axis == 0 else (self.y_log, self.y_range)
        if limits is not None:
            return Scale(*limits, start, end, log)
        values = [series.extent()[axis] for series in self.series]
        margin = max((series.margin[axis] for series in self.series), default=0.0)
        zero = axis == 1 and any(series.from_zero for series in self.series)
        together = np.concatenate([np.empty(0), *values])
        return Scale.around(together, start, end, log=log, margin=margin, zero=zero)

    def _spaced(self, x: Scale) -> list[Tick]:
        """Return the ticks of the x axis, so few that their labels do not touch."""
        for most in range(max(2, int((x.end - x.start) / X_TICK) + 1), 1, -1):
            ticks = x.ticks(most)
            places = [(_middle(x, x.at(tick.value), tick.label), text_width(tick.label) / 2) for tick in ticks]
            pairs = itertools.pairwise(places)
            if all(b - a > half_a + half_b + 6 for (a, half_a), (b, half_b) in pairs):
                return ticks
        return ticks[:1]


def _grid(frame: Frame, x_ticks: list[Tick], y_ticks: list[Tick]) -> str:
    """Return lines and labels of the ticks, and the lower edge of the frame."""
    x, y = frame.x, frame.y
    heights = [(y.at(tick.value), tick.label) for tick in y_ticks]
    places = [(x.at(tick.value), tick.label) for tick in x_ticks]
    lines = "".join(f"M{x.start:g},{height:g}H{x.end:g}" for height, _ in heights)
    axis = f"M{x.start:g},{y.start:g}H{x.end:g}" + "".join(f"M{place:g},{y.start:g}v4" for place, _ in places)
    return "".join(
        [
            element("path", d=lines, class_="ch-grid", stroke="currentColor", opacity=0.15) if lines else "",
            element("path", d=axis, class_="ch-axis", fill="none", stroke="currentColor", opacity=0.6),
            *(text(x.start - 7, height + 4, label, "end", class_="ch-tick") for height, label in heights),
            *(
                text(_middle(x, place, label), y.start + 17, label, "middle", class_="ch-tick")
                for place, label in places
            ),
        ]
    )


def _middle(x: Scale, place: float, label: str) -> float:
    """Return where the label of a tick of the x axis has its middle; a label near the right edge ends there."""
    return min(place, x.end + 10 - text_width(label) / 2)


def _numbers(scale: Scale) -> str:
    """Return the scale for scripts: the numbers and the pixels of its ends, and whether it is logarithmic."""
    return f"{scale.low!r} {scale.high!r} {scale.start:g} {scale.end:g} {'log' if scale.log else 'linear'}"
