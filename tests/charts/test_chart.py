"""Charts: every point is where its numbers and the labels of the ticks put it, and nothing leaves the picture."""

from __future__ import annotations

import doctest
import itertools
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nnfs_cli.charts import chart as chart_module
from nnfs_cli.charts import matrix as matrix_module
from nnfs_cli.charts import svg as svg_module
from nnfs_cli.charts import ticks as ticks_module
from nnfs_cli.charts.annotations import Mark, Rule
from nnfs_cli.charts.band import Band
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.histogram import Histogram
from nnfs_cli.charts.line import Line
from nnfs_cli.charts.matrix import Matrix
from nnfs_cli.charts.points import MOST, Points
from nnfs_cli.charts.series import Series
from nnfs_cli.charts.surface import Surface
from nnfs_cli.charts.svg import text_width
from tests.charts.pictures import of_class, parsed, points_of, ticks_of, to_data

HOSTILE = "<script>alert(1)</script>\"'&\x1b\n\u2028"
NUMBERS = st.lists(st.tuples(st.floats(), st.floats()), min_size=0, max_size=30)


def chart(*series: Series, **options: Any) -> Chart:
    return Chart("A title", "x (m)", "y (s)", series, **options)


@pytest.mark.parametrize("log", [False, True])
def test_the_ticks_say_where_the_points_are(log: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = np.arange(1.0, 41.0), np.exp(rng.normal(size=40) * 3)
    root = parsed(chart(Line(x, y), y_log=log).svg())
    (line,) = of_class(root, "ch-line")
    pixels, (x_ticks, y_ticks) = points_of(line), ticks_of(root)
    np.testing.assert_allclose(to_data(pixels[:, 0], x_ticks), x, atol=0.02)
    read = to_data(pixels[:, 1], y_ticks, log)
    np.testing.assert_allclose(read, y, rtol=0.02 if log else 1, atol=0 if log else 0.001 * y.max())


def test_a_mark_and_a_rule_are_where_their_numbers_are() -> None:
    notes = [Mark(3, 4.0, "best", id="here"), Rule("limit", y=7.0), Rule("end", x=2.0)]
    root = parsed(chart(Line([0, 10], [0, 10]), notes=notes).svg())
    (dot,), (x_ticks, y_ticks) = of_class(root, "ch-mark"), ticks_of(root)
    assert to_data(np.array(float(dot.get("cx", 0))), x_ticks) == pytest.approx(3, abs=0.02)
    assert to_data(np.array(float(dot.get("cy", 0))), y_ticks) == pytest.approx(4, abs=0.02)
    across, down = of_class(root, "ch-rule")
    assert to_data(points_of(across)[0, 1], y_ticks) == pytest.approx(7, abs=0.02)
    assert to_data(points_of(down)[0, 0], x_ticks) == pytest.approx(2, abs=0.02)
    assert [element.get("id") for element in root.iter() if element.get("id")] == ["here"]


@example([(0.999, 900.0)], "points", True, False)  # its ticks are close together and have long labels
@given(NUMBERS, st.sampled_from(["line", "points", "band", "histogram"]), st.booleans(), st.booleans())
def test_any_numbers_make_a_picture_within_its_bounds(
    rows: list[tuple[float, float]], kind: str, x_log: bool, y_log: bool
) -> None:
    x, y = (np.array([row[i] for row in rows]) for i in (0, 1))
    series: Series
    match kind:
        case "line":
            series = Line(x, y, "a")
        case "points":
            series = Points(x, y, "a")
        case "band":
            series = Band(x, y, y[::-1], "a")
        case _:
            series = Histogram(np.arange(len(y) + 1), y, "a")
            y_log = False
    picture = chart(series, x_log=x_log, y_log=y_log, notes=[Mark(1, 1, "one"), Rule("x", x=3.0)])
    root = parsed(picture.svg())
    for element in [*of_class(root, "ch-line"), *of_class(root, "ch-area")]:
        pixels = points_of(element)
        assert ((pixels >= -0.5) & (pixels <= [picture.width + 0.5, picture.height + 0.5])).all()
    labels = [
        (float(e.get("x", 0)), e.text or "") for e in of_class(root, "ch-tick") if e.get("text-anchor") == "middle"
    ]
    for (a, first), (b, second) in itertools.pairwise(labels):
        assert b - a > (text_width(first) + text_width(second)) / 2
    assert "nan" not in picture.svg().partition("</desc>")[2]


def test_a_picture_has_a_title_axes_a_legend_and_a_text_alternative() -> None:
    picture = chart(Line([1, 2, 3], [0.5, 0.25, 0.75], "train"), Line([1, 2], [1, np.nan], "validation"))
    root = parsed(picture.svg())
    assert root.get("role") == "img"
    assert (root[0].tag, root[0].text, root[1].tag) == ("title", "A title", "desc")
    said = root[1].text or ""
    assert "train: from 0.5 to 0.75, lowest 0.25, highest 0.75, x 1 to 3" in said
    assert "1 values are not finite" in said
    texts = [element.text for element in root.iter("text")]
    assert {"A title", "x (m)", "y (s)", "train", "validation"} <= set(texts)


def test_texts_from_data_are_shown_and_not_obeyed() -> None:
    for svg in (
        Chart(
            HOSTILE, HOSTILE, HOSTILE, [Points([1], [2], HOSTILE), Line([1], [2], HOSTILE)], [Mark(1, 2, HOSTILE)]
        ).svg(),
        Matrix(HOSTILE, HOSTILE, HOSTILE, [HOSTILE], [HOSTILE], [[1]], [[HOSTILE]]).svg(),
    ):
        tags = {element.tag for element in parsed(svg).iter()}
        assert tags <= {"svg", "title", "desc", "text", "path", "circle", "rect", "g"}
        assert "<script" not in svg
        assert "\x1b" not in svg


def test_colours_and_styles_are_those_of_the_page() -> None:
    svg = chart(Line([1], [2], "a"), Points([1], [2], "b"), Band([1], [1], [2], "c")).svg()
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) == {"currentColor", "none"}
    assert "style=" not in svg


def test_a_long_line_is_short_and_keeps_its_peaks() -> None:
    y = np.ones(100_000)
    y[77_777], y[33_333] = 2.0, 0.0
    svg = chart(Line(np.arange(100_000), y)).svg()
    (line,) = of_class(parsed(svg), "ch-line")
    highs = to_data(points_of(line)[:, 1], ticks_of(parsed(svg))[1])
    assert (highs.min(), highs.max()) == pytest.approx((0, 2), abs=0.01)
    assert len(svg) < 12_000


def test_a_crowd_of_points_is_thinned_and_its_number_is_told() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 50_000))
    svg = chart(Points(x, y, "rows")).svg()
    (path,) = of_class(parsed(svg), "ch-line")
    assert len(points_of(path)) <= MOST
    assert "50,000 points" in svg


def test_a_gap_in_a_line_stays_a_gap() -> None:
    (line,) = of_class(parsed(chart(Line([1, 2, 3, 4, 5], [1, 2, np.nan, 3, 4])).svg()), "ch-line")
    assert (line.get("d") or "").count("M") == 2


def test_a_surface_has_the_cells_it_was_given() -> None:
    colours = np.array([[0, 0, 1], [1, 1, 1]])
    root = parsed(chart(Surface((0, 3), (0, 2), colours, np.ones((2, 3)))).svg())
    first, second = of_class(root, "ch-area")
    assert (first.get("d") or "").count("M") == 1  # two neighbours of one colour are one box
    assert (second.get("d") or "").count("M") == 2


def test_the_cells_of_a_matrix_hold_their_texts() -> None:
    matrix = Matrix("t", "predicted", "true", ["a", "b"], ["a", "b"], [[1, 0], [0.5, 0.5]], [["7", "0"], ["2", "3"]])
    root = parsed(matrix.svg())
    assert [element.text for element in of_class(root, "ch-text")] == ["7", "0", "2", "3"]
    opacities = [float(cell.get("fill-opacity", 0)) for cell in of_class(root, "ch-cell")]
    assert opacities[0] > opacities[2] == opacities[3] > opacities[1]
    assert "true b: a 2, b 3" in (root[1].text or "")


@pytest.mark.parametrize("module", [chart_module, matrix_module, svg_module, ticks_module], ids=lambda m: m.__name__)
def test_the_examples_run(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
