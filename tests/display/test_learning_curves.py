"""The learning curves in a notebook: every point is where its loss and its epoch put it."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.display.learning_curves import learning_curves
from tests.charts.pictures import of_class, points_of, ticks_of, to_data
from tests.display.markup import parsed

LOSSES = st.lists(st.tuples(st.floats(), st.floats()), max_size=40)


def drawn(html: str) -> ElementTree.Element:
    (svg,) = parsed(html).iter("svg")
    return svg


def test_points_lie_where_a_ruler_puts_them() -> None:
    svg = drawn(learning_curves([1, 2, 3], [8.0, 4.0, 0.0], [6.0, 2.0, 4.0], 2))
    x_ticks, y_ticks = ticks_of(svg)
    train, validation = (points_of(line) for line in of_class(svg, "ch-line") if len(points_of(line)) == 3)
    np.testing.assert_allclose(to_data(train[:, 0], x_ticks), [1, 2, 3], atol=0.01)
    np.testing.assert_allclose(to_data(train[:, 1], y_ticks), [8, 4, 0], atol=0.05)
    np.testing.assert_allclose(to_data(validation[:, 1], y_ticks), [6, 2, 4], atol=0.05)
    (dot,) = of_class(svg, "ch-mark")
    assert (float(dot.get("cx", 0)), float(dot.get("cy", 0))) == tuple(validation[1])


def test_without_validation_rows_there_is_one_curve_and_the_best_epoch_lies_on_it() -> None:
    svg = drawn(learning_curves([1, 2], [1.0, 0.5], best_epoch=2))
    (line,) = of_class(svg, "ch-line")
    (dot,) = of_class(svg, "ch-mark")
    assert (float(dot.get("cx", 0)), float(dot.get("cy", 0))) == tuple(points_of(line)[1])


@given(LOSSES, st.integers(0, 41))
def test_any_losses_make_a_picture_unless_none_is_finite(losses: list[tuple[float, float]], best: int) -> None:
    train, validation = [a for a, _ in losses], [b for _, b in losses]
    html = learning_curves(range(1, len(losses) + 1), train, validation, best)
    if not any(map(math.isfinite, train + validation)):
        assert html == ""
        return
    marked = validation if any(map(math.isfinite, validation)) else train
    shown = 1 <= best <= len(losses) and math.isfinite(marked[best - 1])
    assert len(of_class(drawn(html), "ch-mark")) <= shown
