"""Which columns matter, and how: what `nnfs explain` has found, as blocks of a page."""

from __future__ import annotations

import numpy as np

from nnfs_cli.charts.band import Band
from nnfs_cli.charts.bars import Bar, Bars
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.line import Line
from nnfs_cli.charts.matrix import Matrix
from nnfs_cli.charts.series import Series
from nnfs_cli.display.text import number
from nnfs_cli.explain.dependence import Dependence
from nnfs_cli.explain.explanation import Explanation
from nnfs_cli.explain.importance import ColumnImportance, Importance
from nnfs_cli.explain.pairs import Surface
from nnfs_cli.explain.sentences import (
    EFFECTS,
    answer_text,
    beside_importance,
    cell_text,
    growth_text,
    interval_text,
    of_dependence,
    of_importance,
    rows_text,
)
from nnfs_cli.report.blocks import Block, Charts, Folded, Heading, Picture, Rows, Text
from nnfs_cli.system.wording import capitalized, counted, cut

SHOWN = 20  # columns with a bar
SINGLE = 12  # rows with a curve of their own
LONGEST = 24  # characters of a cell that a chart names
HOW = (
    "The cells of a column are shuffled among the rows: the more the net relies on the column, the more the loss "
    "grows. Lines show 95 % intervals. A column matters if this growth is clearly above 0, its mean for columns of "
    "noise. Grey bars have no clear effect."
)
CURVES = (
    "Each curve is the mean prediction if all rows had the same cell in the column. Thin grey lines are single rows, "
    "and the band is the range of the members of the net."
)


def blocks_of(found: Explanation, rows: bool) -> list[Block]:
    """Return importance, dependence and the strongest pair; without `rows`, no curves of single rows."""
    matters, blocks = found.importance, list[Block]()
    measured = f"Measured on {rows_text(found)}. Cells were shuffled {counted(matters.repeats, 'time')}."
    blocks += [Text(" ".join(told)) for told in (of_importance(matters), beside_importance(found)) if told]
    blocks.append(Charts([(_bars(matters), HOW)]))
    blocks.append(Folded("All columns in numbers", [_table(matters)]))
    if found.dependence:
        blocks += [Heading("How predictions depend on the main columns"), Text(CURVES, soft=True)]
        blocks.append(Charts([_curve(one, rows) for one in found.dependence]))
    if found.surface is not None:
        blocks += [Heading("The strongest pair"), Charts([_surface(found.surface)])]
    return [*blocks, Text(measured, soft=True)]


def _bars(found: Importance) -> Bars:
    shown = [*found.columns[:SHOWN], *(one for one in found.together if one.effect == "matters")]
    bars = [
        Bar(one.name, one.growth, "".join(growth_text(found, one.growth)), one.low, one.high, one.effect == "unclear")
        for one in shown
    ]
    return Bars("How much each column matters", "growth of the loss when its cells are shuffled", bars)


def _table(found: Importance) -> Rows:
    metric = [] if found.metric_name is None else [f"{found.metric_name}, shuffled"]
    rows = [_line(found, one) for one in (*found.columns, *found.together)]
    header = ["column", "effect", "loss grows by", "95 % interval", "p-value", *metric]
    return Rows("Growth of the loss by column, the largest first", header, rows, 2)


def _line(found: Importance, one: ColumnImportance) -> list[str]:
    metric = [] if found.metric_name is None else [number(one.metric)]
    growth = "".join(growth_text(found, one.growth))
    return [one.name, EFFECTS[one.effect], growth, interval_text(found, one), number(one.p_value), *metric]


def _curve(found: Dependence, rows: bool) -> tuple[Picture, str]:
    """Return the picture of a dependence, and what it shows in words."""
    told, answer = capitalized(of_dependence(found)), found.answers[found.main]
    n, mean = len(found.cells) - found.empty, found.mean[found.main]
    if found.places is None or not found.is_curve:
        names = [cell_text(found, i) for i in range(len(found.cells))]
        bars = [Bar(cut(name, LONGEST), one, answer_text(answer, one)) for name, one in zip(names, mean, strict=True)]
        return Bars(found.column, answer, bars), told
    places = found.places[:n]
    series: list[Series] = []
    if found.low is not None and found.high is not None:
        series.append(Band(places, found.low[found.main][:n], found.high[found.main][:n]))
    if rows:
        series += [Line(places, curve[:n], faint=True) for curve in found.curves[:SINGLE]]
    series.append(Line(places, mean[:n]))
    return Chart(found.column, found.column, answer, series), told


def _surface(found: Surface) -> tuple[Picture, str]:
    """Return the surface of a pair, the second column upwards, and what its colours mean."""
    values = np.array(found.mean)[::-1]
    low, high = float(values.min()), float(values.max())
    first, second = ([cut(text, LONGEST) or "an empty cell" for text in cells] for cells in found.cells)
    title = f"{found.answer} by {found.columns[0]} and {found.columns[1]}"
    shares = (values - low) / ((high - low) or 1.0)
    chart = Matrix(title, found.columns[0], found.columns[1], first, second[::-1], shares, most_height=24)
    return chart, f"Light is {answer_text(found.answer, low)}, and dark is {answer_text(found.answer, high)}."
