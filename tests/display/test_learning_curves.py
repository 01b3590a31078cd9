"""The learning curves: every point is where its loss and its epoch put it."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.display.learning_curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, learning_curves
from tests.display.markup import parsed, texts

LOSSES = st.lists(st.tuples(st.floats(), st.floats()), max_size=40)


def curves(svg: str) -> list[list[tuple[float, float]]]:
    """Return the points of the curves, by the order in which they are drawn."""
    lines = re.findall(r'd="M([\d., -]+)h0"', svg)
    return [[tuple(map(float, point.split(","))) for point in line.split()] for line in lines]  # type: ignore[misc]


def words(svg: str) -> list[str]:
    return texts(svg, "text")


def test_points_lie_where_a_ruler_puts_them() -> None:
    svg = learning_curves([1, 2, 3], [8.0, 4.0, 0.0], [6.0, 2.0, 4.0], 2)
    middle = (LEFT + RIGHT) / 2
    quarter = (BOTTOM - TOP) / 4
    assert curves(svg) == [
        [(LEFT, TOP), (middle, TOP + 2 * quarter), (RIGHT, BOTTOM)],
        [(LEFT, TOP + quarter), (middle, TOP + 3 * quarter), (RIGHT, TOP + 2 * quarter)],
    ]
    assert f'<circle cx="{middle}" cy="{TOP + 3 * quarter}"' in svg
    assert words(svg) == ["8.0000", "0.0000", "1", "epoch 3", "train", "validation", "best 2"]


def test_the_title_says_what_the_picture_shows() -> None:
    root = parsed(learning_curves([1, 2], [0.5, 0.25], [0.75, 0.5], 2))[0]
    assert root.get("role") == "img"
    assert root[0].text == "Loss by epoch: train from 0.5000 to 0.2500, validation from 0.7500 to 0.5000, best epoch 2"


def test_without_validation_rows_there_is_one_curve_and_the_best_epoch_lies_on_it() -> None:
    svg = learning_curves([1, 2], [1.0, 0.5], best_epoch=2)
    assert len(curves(svg)) == 1
    assert f'<circle cx="{RIGHT}.0" cy="{BOTTOM}.0"' in svg
    assert "validation" not in svg


@given(LOSSES, st.integers(0, 41))
def test_any_losses_make_a_picture_within_its_bounds(losses: list[tuple[float, float]], best: int) -> None:
    train, validation = [a for a, _ in losses], [b for _, b in losses]
    svg = learning_curves(range(1, len(losses) + 1), train, validation, best)
    if not any(map(math.isfinite, train + validation)):
        assert svg == ""
        return
    root = parsed(svg)[0]
    assert (root.get("width"), root.get("height")) == (str(WIDTH), str(HEIGHT))
    assert len(curves(svg)) == sum(any(map(math.isfinite, curve)) for curve in (train, validation))
    for curve in curves(svg):
        assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in curve)
    ranked = validation if any(map(math.isfinite, validation)) else train
    assert ("<circle" in svg) == (1 <= best <= len(losses) and math.isfinite(ranked[best - 1]))


def test_a_long_curve_is_short_and_keeps_its_peaks() -> None:
    losses = [1.0] * 100_000
    losses[77_777], losses[33_333] = 2.0, 0.0
    svg = learning_curves(range(1, 100_001), losses)
    ys = [y for _, y in curves(svg)[0]]
    assert (min(ys), max(ys)) == (TOP, BOTTOM)
    assert len(svg) < 5_000
