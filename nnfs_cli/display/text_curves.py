"""Curves drawn in text: with braille dots, eight in a character, or with letters where a terminal lacks those."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TextIO

Point = tuple[float, float]
Style = Callable[[str, int], str]  # colours a text of the curve with this number

LOG_RATIO = 20  # if the largest value is so many times the smallest, a logarithmic axis shows more
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille character, by row, then by column
LETTERS = ".o+x"  # of the curves in ASCII
MARK = {True: "●", False: "*"}
LEAST_WIDTH, LEAST_HEIGHT = 20, 3


class Thinned:
    """The points of a curve, at most `most` groups of them, however many there are.

    A group has the x of its first point, and the lowest and the highest y. If there are too many groups, each two
    neighbours become one.
    """

    def __init__(self, most: int = 512) -> None:
        self._most, self._size, self._left = most, 1, 0
        self._groups: list[tuple[float, float, float]] = []

    def add(self, x: float, y: float) -> None:
        """Add the next point; one that is not finite is left out."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        if self._left:
            self._left -= 1
            first, low, high = self._groups[-1]
            self._groups[-1] = first, min(low, y), max(high, y)
            return
        if len(self._groups) >= self._most:
            pairs = zip(self._groups[::2], self._groups[1::2], strict=True)
            self._groups = [(one[0], min(one[1], two[1]), max(one[2], two[2])) for one, two in pairs]
            self._size *= 2
        self._groups.append((x, y, y))
        self._left = self._size - 1

    def points(self) -> list[Point]:
        """Return the points to join by lines."""
        return [(x, y) for x, low, high in self._groups for y in ((low,) if low == high else (low, high))]


def text_curves(
    curves: Mapping[str, Sequence[Point]],
    width: int,
    height: int,
    *,
    x_label: str = "",
    x_range: tuple[float, float] | None = None,
    x_ends: tuple[str, str] | None = None,
    log_x: bool = False,
    log_y: bool | None = None,
    mark: Point | None = None,
    braille: bool = True,
    style: Style = lambda text, curve: text,
) -> list[str]:
    r"""Return curves with their axes as `height` lines of at most `width` columns; none if there is nothing to draw.

    A curve is a sequence of points x, y, joined by lines, and its name stands at its end. The first one is dotted.
    Points that are not finite are left out, as are those that a logarithmic axis cannot show. Without `log_y`, the axis
    of y is logarithmic if all values are positive and the largest is 20 times the smallest. A logarithmic axis is named
    after `x_label`, if there is room. The axis of x spans `x_range`, or all x; `x_ends` are the texts at its ends, if
    they are no plain numbers, such as years. `mark` is a point to mark. At least 20 columns and 3 lines are used.

    >>> print("\n".join(text_curves({"loss": [(1, 1.0), (2, 0.5), (3, 0.4)]}, 30, 4, braille=False)))
      1 |...
        |   .....
    0.4 |        ............ loss
        1                   3
    """
    width, height = max(width, LEAST_WIDTH), max(height, LEAST_HEIGHT)
    drawn = {name: [*_usable(points, log_x, log_y)] for name, points in curves.items()}
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return []
    values = [y for points in drawn.values() for _, y in points]
    if log_y is None:
        log_y = min(values) > 0 and max(values) >= LOG_RATIO * min(values)
    xs = x_range or (min(p[0] for c in drawn.values() for p in c), max(p[0] for c in drawn.values() for p in c))
    x_axis, y_axis = _Axis(*xs, log_x), _Axis(min(values), max(values), log_y)
    labels = _labels(y_axis, height - 1)
    left, right = max(map(len, labels)), max(map(len, drawn)) + 1
    canvas = _Canvas(max(width - left - 2 - right, 4), height - 1, braille)
    ends: list[tuple[int, int]] = []  # the row in which each curve ends, and its number
    for i, points in enumerate(drawn.values()):
        placed = canvas.places(x_axis.shares(x for x, _ in points), y_axis.shares(y for _, y in points))
        canvas.draw(placed, i, dotted=i == 0 and len(drawn) > 1)
        ends.append((canvas.row_of(placed[-1]), i))
    if mark is not None and _usable([mark], log_x, log_y):
        canvas.mark(*canvas.places(x_axis.shares(mark[:1]), y_axis.shares(mark[1:])))
    bar, names = ("│" if braille else "|"), _spread(ends, height - 1)
    lines = []
    for row, label in enumerate(labels):
        name = names.get(row)
        end = "" if name is None else " " + style([*drawn][name], name)
        lines.append(f"{label:>{left}} {bar}{canvas.line(row, style)}{end}".rstrip())
    logs = {(True, False): "logarithmic", (False, True): "y is logarithmic", (True, True): "both axes are logarithmic"}
    scale = logs.get((log_x, log_y and y_axis.low < y_axis.high), "")
    return [*lines, _x_axis(x_axis, left + 1, canvas.width, x_label, scale, x_ends)]


def shows_braille(stream: TextIO) -> bool:
    """Return whether a stream can encode braille; the console of Linux has no letters for it."""
    try:
        "⠿●│".encode(getattr(stream, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return os.environ.get("TERM") != "linux"


def _usable(points: Iterable[Point], log_x: bool, log_y: bool | None) -> list[Point]:
    """Return the points that can be drawn."""
    return [
        (x, y)
        for x, y in points
        if math.isfinite(x) and math.isfinite(y) and (x > 0 or not log_x) and (y > 0 or not log_y)
    ]


class _Axis:
    """An axis from `low` to `high`, perhaps logarithmic."""

    def __init__(self, low: float, high: float, log: bool) -> None:
        self.low, self.high, self._log = low, high, log

    def shares(self, values: Iterable[float]) -> list[float]:
        """Return how far along the axis values are, from 0 to 1."""
        low, high, *scaled = (
            map(math.log, (self.low, self.high, *values)) if self._log else (self.low, self.high, *values)
        )
        span = high / 2 - low / 2  # the whole span may be too large for a float
        if span <= 0:
            return [0.5] * len(scaled)
        return [0.0 if value < low else 1.0 if value > high else (value / 2 - low / 2) / span for value in scaled]

    def at(self, share: float) -> float:
        """Return the value that is so far along the axis."""
        if self._log:
            return float(self.low ** (1 - share) * self.high**share)
        return self.low * (1 - share) + self.high * share


class _Canvas:
    """A grid of dots: 2 x 4 in a braille character, or one in a letter. Each character belongs to the last curve."""

    def __init__(self, width: int, height: int, braille: bool) -> None:
        self.width, self.height, self._braille = width, height, braille
        self._across, self._down = (2, 4) if braille else (1, 1)
        self._dots = [[0] * width for _ in range(height)]
        self._owner = [[-1] * width for _ in range(height)]
        self._marked: tuple[int, int] | None = None

    def places(self, xs: Iterable[float], ys: Iterable[float]) -> list[tuple[int, int]]:
        """Return the columns and the rows of dots, for shares of the width and, from below, of the height."""
        across, down = self.width * self._across - 1, self.height * self._down - 1
        return [(int(x * across + 0.5), int((1 - y) * down + 0.499)) for x, y in zip(xs, ys, strict=True)]

    def row_of(self, dot: tuple[int, int]) -> int:
        """Return the line of text that a dot is in."""
        return dot[1] // self._down

    def draw(self, dots: Sequence[tuple[int, int]], curve: int, dotted: bool) -> None:
        """Join dots by lines; a dotted line leaves out every second column of braille dots."""
        for x, y in _joined(dots):
            if dotted and self._braille and x % 4 > 1:
                continue
            row, column = y // self._down, x // self._across
            self._dots[row][column] |= DOTS[y % 4][x % 2]
            self._owner[row][column] = curve

    def mark(self, dot: tuple[int, int]) -> None:
        """Mark the character that a dot is in."""
        self._marked = self.row_of(dot), dot[0] // self._across

    def line(self, row: int, style: Style) -> str:
        """Return a line of text; neighbours of the same curve are styled together."""
        parts: list[tuple[str, int]] = []
        for column, (dots, owner) in enumerate(zip(self._dots[row], self._owner[row], strict=True)):
            letter = " " if owner < 0 else chr(0x2800 + dots) if self._braille else LETTERS[owner % len(LETTERS)]
            if self._marked == (row, column):
                letter = MARK[self._braille]
            if parts and parts[-1][1] == owner:
                parts[-1] = parts[-1][0] + letter, owner
            else:
                parts.append((letter, owner))
        return "".join(text if owner < 0 else style(text, owner) for text, owner in parts)


def _joined(dots: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield all dots of the lines between dots."""
    yield dots[0]
    for (x, y), (to_x, to_y) in itertools.pairwise(dots):
        across, down = to_x - x, to_y - y
        steps = max(abs(across), abs(down))
        for i in range(1, steps):
            yield x + round(across * i / steps), y + round(down * i / steps)
        if steps:
            yield to_x, to_y


def _labels(axis: _Axis, rows: int) -> list[str]:
    """Return the label of each row of an axis: of the first, the last and, where there is room, the middle one."""
    if axis.low == axis.high:
        return [_short(axis.low) if row == (rows - 1) // 2 else "" for row in range(rows)]
    shown = {0, rows - 1} | ({(rows - 1) // 2} if rows >= 5 else set())
    return [_short(axis.at(1 - row / max(rows - 1, 1))) if row in shown else "" for row in range(rows)]


def _short(value: float) -> str:
    """Return a number with three digits, without an exponent from 1,000 to a billion."""
    text = f"{value:.3g}"
    return f"{float(text):,.0f}" if 1_000 <= abs(value) < 1e9 else text


def _spread(ends: Sequence[tuple[int, int]], rows: int) -> dict[int, int]:
    """Return which curve to name in which row: near its end, and each in a row of its own."""
    taken: dict[int, int] = {}
    for row, curve in sorted(ends):
        free = [other for other in range(rows) if other not in taken]
        if free:
            taken[min(free, key=lambda other: (abs(other - row), -other))] = curve
    return taken


def _x_axis(axis: _Axis, left: int, width: int, label: str, scale: str, ends: tuple[str, str] | None) -> str:
    """Return the line below the curves: the first and the last x, the label and, where it fits, the scale."""
    low, high = ends or (f"{value:,.10g}" if abs(value) >= 1 else f"{value:.3g}" for value in (axis.low, axis.high))
    if low == high:
        return f"{' ' * left}{f'{label} {low}'.strip():^{width + 1}}".rstrip()
    room = width + 1 - len(low) - len(high)
    long = f"{label} ({scale})" if label and scale else label
    middle = next((f"{text:^{room}}" for text in (long, label) if text and len(text) + 2 <= room), "")
    gap = max(width + 1 - len(low) - len(middle) - len(high), 1)
    return (" " * left + low + (middle or " " * gap) + high).rstrip()
