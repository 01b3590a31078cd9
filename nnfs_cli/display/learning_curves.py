"""Draw the learning curves of a training as a small SVG: the loss of the training and validation rows by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable

from nnfs_cli.display.html import escaped
from nnfs_cli.display.text import number

Point = tuple[float, float]  # epoch, loss

WIDTH, HEIGHT = 320, 120
LEFT, RIGHT, TOP, BOTTOM = 48, 312, 18, 102  # of the curves
COLUMNS = 132  # a longer curve shows the lowest and the highest loss of as many groups of epochs
SOLID, DASHED = 'opacity="0.55"', 'stroke-dasharray="5 2"'


def learning_curves(
    epochs: Iterable[float],
    train_loss: Iterable[float],
    val_loss: Iterable[float] | None = None,
    best_epoch: float | None = None,
) -> str:
    """Return an SVG of 320 x 120 pixels in the colour of the text around it, or "" if no loss is finite.

    Losses that are not finite are left out. The best epoch is marked if the curves have it.
    """
    epochs = list(epochs)
    losses = {"train": train_loss} if val_loss is None else {"train": train_loss, "validation": val_loss}
    curves = {name: _finite(epochs, loss) for name, loss in losses.items()}
    curves = {name: points for name, points in curves.items() if points}
    if not curves:
        return ""
    points = [point for curve in curves.values() for point in curve]
    (first, last), (low, high) = (_range(values) for values in zip(*points, strict=True))

    def place(point: Point) -> Point:
        x = LEFT + (RIGHT - LEFT) * _share(point[0], first, last)
        return round(x, 1), round(BOTTOM - (BOTTOM - TOP) * _share(point[1], low, high), 1)

    drawn = [_axes(first, last, low, high)]
    for i, (name, curve) in enumerate(curves.items()):
        look, key = DASHED if name == "validation" else SOLID, RIGHT - 130 + 50 * i
        line = " ".join(f"{x},{y}" for x, y in map(place, _thinned(curve)))
        drawn.append(f'<path d="M{line}h0" stroke-width="1.5" stroke-linecap="round" {look}/>')
        drawn.append(f'<path d="M{key},8h18" stroke-width="1.5" {look}/>{_text(key + 22, 11, name, "start")}')
    said = [f"{name} from {number(curve[0][1])} to {number(curve[-1][1])}" for name, curve in curves.items()]
    ranked = dict(curves.get("validation", curves.get("train", [])))
    if best_epoch is not None and best_epoch in ranked:
        said.append(f"best epoch {best_epoch:,.0f}")
        drawn.append(_best(best_epoch, *place((best_epoch, ranked[best_epoch]))))
    title = escaped(f"Loss by epoch: {', '.join(said)}")
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" fill="none"'
        f' stroke="currentColor" font-size="10" style="max-width:100%"><title>{title}</title>{"".join(drawn)}</svg>'
    )


def _axes(first: float, last: float, low: float, high: float) -> str:
    """Draw the axes, with the range of each."""
    return (
        f'<path d="M{LEFT},{TOP}V{BOTTOM}H{RIGHT}" opacity="0.3"/>'
        + _text(LEFT - 4, TOP + 4, number(high), "end")
        + _text(LEFT - 4, BOTTOM, number(low), "end")
        + _text(LEFT, HEIGHT - 4, f"{first:,.0f}", "start")
        + _text(RIGHT, HEIGHT - 4, f"epoch {last:,.0f}", "end")
    )


def _best(epoch: float, x: float, y: float) -> str:
    """Mark the best epoch, with its number on the side that has more room."""
    offset, anchor = (-5, "end") if x > (LEFT + RIGHT) / 2 else (5, "start")
    mark = f'<circle cx="{x}" cy="{y}" r="3" fill="currentColor"/>'
    return mark + _text(x + offset, max(y - 5, TOP + 4), f"best {epoch:,.0f}", anchor)


def _finite(epochs: Iterable[float], losses: Iterable[float]) -> list[Point]:
    """Return the points of a curve, as plain floats."""
    points = [(float(epoch), float(loss)) for epoch, loss in zip(epochs, losses, strict=True)]
    return [point for point in points if math.isfinite(point[1])]


def _range(values: Iterable[float]) -> Point:
    values = list(values)
    return min(values), max(values)


def _share(value: float, low: float, high: float) -> float:
    """Return where a value lies between two others, from 0 to 1; 0.5 if those are the same."""
    return (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5  # halves: a difference may overflow


def _thinned(points: list[Point]) -> list[Point]:
    """Return the points, or the lowest and the highest of each group of neighbours if there are too many."""
    size = math.ceil(len(points) / COLUMNS)
    if size < 3:
        return points
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return [
        point for group in groups for point in sorted({min(group, key=lambda p: p[1]), max(group, key=lambda p: p[1])})
    ]


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="currentColor" stroke="none">{escaped(text)}</text>'
