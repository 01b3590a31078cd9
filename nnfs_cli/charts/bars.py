"""Horizontal bars with names and intervals, such as how much each column matters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nnfs_cli.charts.svg import element, picture, shortened, text, text_width

NAMES = 0.4  # share of the width that the longest name may take
HIGH = 24  # pixels from bar to bar
TOP = 52

Scale = Callable[[float], float]  # from a value to pixels


@dataclass(frozen=True)
class Bar:
    """A bar from 0 to `value` with a name, and a text behind it. A `quiet` one stands back.

    `low` and `high` are the ends of an interval around the value, None without one.
    """

    name: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    quiet: bool = False


@dataclass(frozen=True)
class Bars:
    """Bars below each other, drawn to one scale, which is named by `label`.

    >>> bars = Bars("Importance", "growth of the loss", [Bar("age", 0.5, "50 %", 0.4, 0.6), Bar("city", 0.1, "10 %")])
    >>> bars.svg().count("<rect")
    2
    """

    title: str
    label: str
    bars: Sequence[Bar]
    width: int = 420

    def svg(self) -> str:
        """Return the bars as one SVG element."""
        ends = [end for bar in self.bars for end in (0.0, bar.value, bar.low, bar.high)]
        known = [end for end in ends if end is not None and math.isfinite(end)]
        low, high = min(known, default=0.0), max(known, default=0.0)
        left = 14 + min(NAMES * self.width, max((text_width(bar.name) for bar in self.bars), default=0.0))
        right = self.width - 12 - max((text_width(bar.text) for bar in self.bars), default=0.0)
        scale = (right - left) / (high - low) if high > low else 0.0

        def at(value: float) -> float:
            return round(left + (min(max(value, low), high) - low) * scale, 1)

        content = [text(0, 42, self.label, class_="ch-label", opacity=0.8)]
        for i, bar in enumerate(self.bars):
            content.append(self._bar(bar, TOP + i * HIGH, left, at))
        bottom = TOP + len(self.bars) * HIGH
        axis = element("path", d=f"M{at(0):g},{TOP}V{bottom}", class_="ch-axis", stroke="currentColor", opacity=0.6)
        return picture(self.title, self.described(), "".join([*content, axis]), self.width, bottom + 8)

    __html__ = _repr_html_ = svg

    def described(self) -> str:
        """Return the bars in words."""
        return ". ".join([self.label, *(f"{bar.name}: {bar.text}" for bar in self.bars)]) + "."

    def _bar(self, bar: Bar, top: float, left: float, at: Scale) -> str:
        """Return the name of a bar, the bar, its interval and its text."""
        middle, value = top + HIGH / 2, bar.value if math.isfinite(bar.value) else 0.0
        start, end = sorted((at(0), at(value)))
        colour = "ch-quiet" if bar.quiet else "ch-0"
        parts = [
            text(left - 8, middle + 4, shortened(bar.name, NAMES * self.width), "end", class_="ch-text"),
            element(
                "rect",
                x=start,
                y=middle - 7,
                width=round(max(end - start, 0.5), 1),
                height=14,
                rx=2,
                class_=f"ch-area {colour}",
                fill="currentColor",
                fill_opacity=0.3 if bar.quiet else 0.55,
            ),
        ]
        reach = end
        if bar.low is not None and bar.high is not None:
            reach = max(end, at(bar.high))
            whisker = f"M{at(bar.low):g},{middle:g}H{at(bar.high):g}M{at(bar.low):g},{middle - 3:g}v6"
            parts.append(
                element(
                    "path",
                    d=f"{whisker}M{at(bar.high):g},{middle - 3:g}v6",
                    class_="ch-axis",
                    fill="none",
                    stroke="currentColor",
                    opacity=0.75,
                )
            )
        parts.append(text(reach + 8, middle + 4, bar.text, class_="ch-tick"))
        return "".join(parts)
