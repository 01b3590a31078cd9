"""Curves in text: they fit their place, show each value at its height, and need no braille."""

from __future__ import annotations

import doctest
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.display import text_curves as module
from nnfs_cli.display.text_curves import DOTS, Thinned, text_curves

FALLING = [(epoch, 2.0**-epoch) for epoch in range(10)]


def columns_of(line: str) -> str:
    """The part of a line that curves are drawn in."""
    return line.partition("│")[2] or line.partition("|")[2]


@given(
    curves=st.dictionaries(
        st.sampled_from(["train", "validation", "loss"]),
        st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats()), max_size=30).map(sorted),
        max_size=3,
    ),
    width=st.integers(1, 200),
    height=st.integers(1, 40),
    logs=st.tuples(st.booleans(), st.sampled_from([None, True, False])),
    braille=st.booleans(),
)
def test_curves_fit_their_place_whatever_the_values(
    curves: dict[str, list[tuple[float, float]]],
    width: int,
    height: int,
    logs: tuple[bool, bool | None],
    braille: bool,
) -> None:
    lines = text_curves(curves, width, height, x_label="epoch", log_x=logs[0], log_y=logs[1], braille=braille)
    assert lines == [] or len(lines) == max(height, 3)
    assert all(len(line) <= max(width, 40) for line in lines)
    assert all(line.isprintable() for line in lines)
    if not braille:
        assert "".join(lines).isascii()


def test_the_largest_and_the_smallest_numbers_can_be_drawn() -> None:
    huge, tiny = (
        text_curves({"a": [(0, -1.7e308), (1, 1.7e308)]}, 40, 6),
        text_curves({"a": [(0, 0), (1, 5e-324)]}, 40, 6),
    )
    assert (len(huge), len(tiny)) == (6, 6)
    assert huge[0].endswith(" a")


def test_an_example_is_drawn_as_shown() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(("log", "straight"), [(True, True), (False, False)])
def test_a_curve_that_halves_is_straight_on_a_logarithmic_axis_only(log: bool, straight: bool) -> None:
    lines = [columns_of(line) for line in text_curves({"loss": FALLING}, 68, 11, log_y=log, braille=False)[:-1]]
    middles = [sum(i for i, c in enumerate(line) if c == ".") / line.count(".") for line in lines if "." in line]
    gaps = [after - before for before, after in itertools.pairwise(middles[1:-1])]
    assert (max(gaps) - min(gaps) <= 1) == straight


def test_the_axis_is_logarithmic_if_values_span_decades_and_labels_are_the_values_there() -> None:
    lines = text_curves({"loss": FALLING}, 60, 10)
    assert [line.split("│")[0].strip() for line in (lines[0], lines[4], lines[8])] == ["1", "0.0442", "0.00195"]
    assert text_curves({"loss": FALLING}, 60, 10, log_y=False)[4].split("│")[0].strip() == "0.501"
    assert lines[9].split() == ["0", "9"]


@pytest.mark.parametrize(
    ("log_x", "log_y", "said"),
    [
        (False, False, "epoch"),
        (True, False, "epoch (logarithmic)"),
        (False, True, "epoch (y is logarithmic)"),
        (True, True, "epoch (both axes are logarithmic)"),
    ],
)
def test_logarithmic_axes_are_named_where_there_is_room(log_x: bool, log_y: bool, said: str) -> None:
    curves = {"loss": [(x + 1, y) for x, y in FALLING]}
    wide, narrow = (text_curves(curves, width, 10, x_label="epoch", log_x=log_x, log_y=log_y)[-1] for width in (70, 30))
    assert wide.split(maxsplit=1)[1].rsplit(maxsplit=1)[0].strip() == said
    assert narrow.split() == ["1", "epoch", "10"]


def test_the_ends_of_an_axis_can_be_texts() -> None:
    line = text_curves({"price": [(1922, 1.0), (2016, 2.0)]}, 40, 4, x_label="built", x_ends=("1922", "2016"))[-1]
    assert line.split() == ["1922", "built", "2016"]


def test_every_dot_of_braille_is_where_its_value_is() -> None:
    height = 4
    for row in range(4 * height):
        y = 1 - row / (4 * height - 1)
        lines = text_curves({"a": [(0, 0), (0, 1)], "b": [(1, y)]}, 40, height + 1, log_y=False)[:-1]
        dots = [columns_of(line).rstrip(" ab") for line in lines]
        (found,) = (i for i, line in enumerate(dots) if len(line) > 2)
        assert found == row // 4
        assert ord(dots[found][-1]) - 0x2800 == DOTS[row % 4][1]


def test_a_mark_stands_at_its_point() -> None:
    lines = text_curves({"loss": [(0, 0), (10, 10)]}, 50, 9, mark=(5, 5))
    (row,) = (i for i, line in enumerate(lines) if "●" in line)
    assert row == 3
    inside = columns_of(lines[0]).index(" loss")
    assert abs(columns_of(lines[row]).index("●") - inside / 2) <= 1


def test_names_stand_at_the_ends_of_their_curves_and_never_in_the_same_line() -> None:
    curves = {"low": [(0, 0), (1, 0)], "high": [(0, 1), (1, 1)], "also low": [(0, 0), (1, 0.01)]}
    lines = text_curves(curves, 60, 6)
    assert lines[0].endswith(" high")
    assert sorted(line[-4:].strip() for line in lines[-3:-1]) == ["low", "low"]


def test_values_that_are_not_finite_leave_no_trace_and_nothing_else_draws_nothing() -> None:
    points = [(0, 1.0), (1, math.inf), (2, math.nan), (3, 2.0)]
    assert text_curves({"loss": points}, 40, 5) == text_curves({"loss": [points[0], points[3]]}, 40, 5)
    assert text_curves({"loss": points[1:3]}, 40, 5) == text_curves({}, 40, 5) == []


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=3_000))
def test_thinned_points_keep_the_extremes_and_stay_few(values: list[float]) -> None:
    thinned = Thinned(16)
    for x, y in enumerate(values):
        thinned.add(x, y)
    points = thinned.points()
    assert len(points) <= 32
    assert (min(y for _, y in points), max(y for _, y in points)) == (min(values), max(values))
    assert points[0][0] == 0
    assert [x for x, _ in points] == sorted(x for x, _ in points)
