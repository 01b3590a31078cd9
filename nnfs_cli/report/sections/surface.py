"""What the net predicts at every point of the plane, where there are two inputs and both are numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.points import Points
from nnfs_cli.charts.series import Series
from nnfs_cli.charts.surface import Surface
from nnfs_cli.data.table import Table
from nnfs_cli.display.text import ROWS_OF
from nnfs_cli.metrics import decide
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.report.blocks import Charts, Section
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.workflows.run_predictions import RunPredictions

SIDE = 80  # cells of the grid in each direction
DOTS = 800  # rows over the surface
MARGIN = 0.05  # around the rows, as a share of their range
NOTE = "Strong colours: the net is sure. Points are rows with the colour of their true class."
NUMBERS_NOTE = "One colour is above the middle of the predictions, the other below it; the stronger, the further."


def surface(facts: RunFacts) -> Section | None:
    """Return the decision surface with rows over it."""
    found = facts.predictions
    if found is None or [*found.predictor.encoder.kinds.values()] != ["number", "number"]:
        return None
    split = found.main_split
    points = _points(found, split) if facts.rows else None
    ranges = _ranges(facts, points)
    if ranges is None:
        return None
    chart = surface_chart(found.predictor, ranges, points, ROWS_OF[split])
    title = "Decision surface" if found.predictor.labels else "Prediction surface"
    return Section("surface", title, [Charts([(chart, NOTE if found.predictor.labels else NUMBERS_NOTE)])])


Range = tuple[float, float]


class Dots(NamedTuple):
    """Rows to draw: both inputs, each (rows,), and the true classes or numbers (rows,)."""

    x: Array
    y: Array
    truth: Array


def surface_chart(predictor: Predictor, ranges: tuple[Range, Range], dots: Dots | None, rows: str) -> Chart:
    """Return what the net predicts over a rectangle, with rows."""
    names, labels = [*predictor.encoder.kinds], predictor.labels
    answer = _on_grid(predictor, ranges)
    if labels:
        decided = decide(answer, predictor.decision.threshold)
        sure = np.clip((answer.max(axis=1) - 1 / len(labels)) / (1 - 1 / len(labels)), 0, 1)
        colours, strengths = decided, 0.25 + 0.75 * sure if predictor.config.loss.probabilistic else np.ones(len(sure))
        meaning = "colours show the predicted class"
    else:
        values = answer[:, 0].astype(np.float64)
        middle, half = (values.max() + values.min()) / 2, max((values.max() - values.min()) / 2, 1e-300)
        colours, strengths = (values > middle).astype(int), np.abs(values - middle) / half
        target = predictor.encoder.targets[0]
        meaning = f"predicted {target} from {values.min():.4g} to {values.max():.4g}"
    plane = Surface(*ranges, colours.reshape(SIDE, SIDE), np.nan_to_num(strengths).reshape(SIDE, SIDE), meaning)
    series: list[Series] = [plane]
    if dots is not None and labels:
        series += [Points(dots.x[dots.truth == k], dots.y[dots.truth == k], label) for k, label in enumerate(labels)]
    elif dots is not None:
        middle = (float(answer[:, 0].max()) + float(answer[:, 0].min())) / 2
        below = dots.truth <= middle
        series += [
            Points(dots.x[some], dots.y[some], f"{predictor.encoder.targets[0]} {side} {middle:.4g}")
            for some, side in ((below, "up to"), (~below, "above"))
        ]
    title = f"Predictions, with {rows}" if dots is not None else "Predictions"
    return Chart(title, names[0], names[1], series, x_range=ranges[0], y_range=ranges[1], height=380)


def _on_grid(predictor: Predictor, ranges: tuple[Range, Range]) -> Array:
    """Return the answers of the net in the middle of each cell of the grid, (cells, outputs)."""
    steps = (np.arange(SIDE) + 0.5) / SIDE
    x, y = (low + (high - low) * steps for low, high in ranges)
    columns = dict(zip(predictor.encoder.kinds, (np.tile(x, SIDE), y.repeat(SIDE)), strict=True))
    return predictor.outputs(Table("the plane", columns))


def _points(found: RunPredictions, split: str) -> Dots | None:
    """Return some rows of a split; None if their cells are not known."""
    rows = found.rows[split]
    places = evenly_spaced(len(rows), DOTS)
    if (cells := found.table(split, places)) is None:
        return None
    x, y = (cells[0].numbers(name, gaps=True) for name in found.predictor.encoder.kinds)
    truth = rows.truth[places]
    return Dots(x, y, truth if truth.ndim == 1 else truth[:, 0])


def _ranges(facts: RunFacts, dots: Dots | None) -> tuple[Range, Range] | None:
    """Return the rectangle that holds the training rows and the drawn ones; None if it is not known."""
    ends = []
    for i, about in enumerate((facts.data or {}).get("inputs", ())[:2]):
        values = [float(about[end]) for end in ("min", "max") if about.get(end) is not None]
        values += [] if dots is None else dots[i][np.isfinite(dots[i])].tolist()
        if not values:
            return None
        low, high = min(values), max(values)
        pad = MARGIN * (high - low) or max(abs(low), 1.0) * MARGIN
        ends.append((low - pad, high + pad))
    return (ends[0], ends[1]) if len(ends) == 2 else None
