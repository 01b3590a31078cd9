"""Notes in a chart: a marked point, and a line across the frame at one value."""

from __future__ import annotations

from dataclasses import dataclass

from nnfs_cli.arrays import Array
from nnfs_cli.charts.series import Frame
from nnfs_cli.charts.svg import element, text, text_width


@dataclass(frozen=True)
class Mark:
    """A point with a text beside it, such as the best epoch. `id` lets a script of the page move it."""

    x: float
    y: float
    text: str
    id: str | None = None

    def draw(self, frame: Frame, crowd: Array) -> str:
        """Return a dot, and the text where it hides least of the `crowd` (n, 2); nothing if it is outside the frame."""
        if not _inside(frame, self.x, self.y):
            return ""
        x, y = frame.x.at(self.x), frame.y.at(self.y)
        left, middle = self._place(frame, x, y, crowd)
        dot = element("circle", cx=x, cy=y, r=4, class_="ch-mark", fill="currentColor")
        label = text(left, middle + 4, self.text, class_="ch-note")
        return element("g", dot + label, id=self.id, data_x=x if self.id else None, data_y=y if self.id else None)

    def _place(self, frame: Frame, x: float, y: float, crowd: Array) -> tuple[float, float]:
        """Return the left end and the middle of the text."""
        width, right_end = text_width(self.text), frame.x.end + 12
        places = [
            (left, middle)
            for left in (x + 7, x - 7 - width)
            for middle in (y - 13, y + 13, y, y - 28, y + 28)
            if left >= frame.x.start and left + width <= right_end and frame.y.end - 8 <= middle <= frame.y.start - 6
        ]

        def hidden(place: tuple[float, float]) -> int:
            across = (crowd[:, 0] > place[0] - 2) & (crowd[:, 0] < place[0] + width + 2)
            return int((across & (abs(crowd[:, 1] - place[1]) < 9)).sum())

        return min(places, key=hidden, default=(max(frame.x.start, min(x + 7, right_end - width)), y - 13))

    def described(self) -> str:
        """Return the text and where the point is."""
        return f"{self.text}: marked at x {self.x:.4g}, y {self.y:.4g}"


@dataclass(frozen=True)
class Rule:
    """A line across the frame, at one value of x or of y, with a text at its end."""

    text: str
    x: float | None = None
    y: float | None = None

    def draw(self, frame: Frame, crowd: Array) -> str:
        """Return a dashed line with its text; nothing if the value is outside the frame."""
        if not _inside(frame, self.x, self.y):
            return ""
        if self.x is not None:
            x = frame.x.at(self.x)
            left = x + 6 + text_width(self.text) > frame.x.end
            path, place = f"M{x:g},{frame.y.start:g}V{frame.y.end:g}", (x + (-5 if left else 5), frame.y.end + 11)
        else:
            y = frame.y.at(self.y or 0.0)
            left = True
            above = y - 4 if y - 14 > frame.y.end else y + 13
            path, place = f"M{frame.x.start:g},{y:g}H{frame.x.end:g}", (frame.x.end - 2, above)
        line = element("path", d=path, class_="ch-rule", stroke="currentColor", stroke_dasharray="3 3", opacity=0.7)
        return line + text(*place, self.text, "end" if left else "start", class_="ch-note")

    def described(self) -> str:
        """Return the text and the value."""
        return f"{self.text}: line at {'y' if self.x is None else 'x'} {self.y if self.x is None else self.x:.4g}"


def _inside(frame: Frame, x: float | None, y: float | None) -> bool:
    values = ((frame.x, x), (frame.y, y))
    return all(value is None or scale.low <= value <= scale.high for scale, value in values)
