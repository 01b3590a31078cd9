"""Where to draw the line between two classes: against every line there is."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.prediction.threshold import Costs, best_threshold, trade_offs

By = Literal["f1", "accuracy"]


def figure(p: Array, second: Array, weight: Array, threshold: float, by: By) -> float:
    """Accuracy, or the mean F1 of both classes, written out."""
    said = p >= np.float64(threshold)
    if by == "accuracy":
        return float(weight[said == second].sum() / weight.sum())

    def f1(said: Array, true: Array) -> float:
        hits = weight[said & true].sum()
        return float(2 * hits / (weight[said].sum() + weight[true].sum())) if hits else 0.0

    return (f1(said, second) + f1(~said, ~second)) / 2


def lines(p: Array) -> list[float]:
    """Every line there is: one between any two neighbours, and one at either end."""
    values = [0.0, *sorted(set(p.tolist())), max(1.0, np.nextafter(p.max(), 2))]
    return [(a + b) / 2 if a < (a + b) / 2 else b for a, b in pairwise(values)]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 10).map(lambda tenths: tenths / 10) | st.floats(0, 1),
        st.booleans(),
        st.integers(0, 8).map(lambda quarters: quarters / 4),
    ),
    min_size=1,
    max_size=15,
)


@pytest.mark.parametrize("by", ["f1", "accuracy"])
@given(rows=ROWS)
@example(rows=[(1.0, False, 1.0), (1.0, False, 1.0), (0.5, True, 1.0)])
@example(rows=[(0.5, False, 1.0), (float(np.nextafter(0.5, 1)), True, 1.0)])
@example(rows=[(0.0, True, 1.0), (1.0, True, 1.0)])
def test_no_line_is_better(by: By, rows: list[tuple[float, bool, float]]) -> None:
    p, second, weight = map(np.array, zip(*rows, strict=True))
    threshold = best_threshold(p, second, weight, by)
    if not weight.any():
        assert threshold == 0.5
        return
    figures = {line: figure(p, second, weight, line, by) for line in lines(p[weight > 0])}
    best = [line for line, found in figures.items() if found >= max(figures.values()) - 1e-12]
    assert threshold in figures
    assert threshold in best
    assert abs(threshold - 0.5) == min(abs(line - 0.5) for line in best)


@pytest.mark.parametrize("by", ["f1", "accuracy"])
def test_the_line_lies_midway_between_two_classes_that_can_be_told_apart(by: By) -> None:
    p, second = np.array([0.1, 0.2, 0.4, 0.9]), np.array([0, 0, 1, 1])
    assert best_threshold(p, second, None, by) == pytest.approx(0.3)


@pytest.mark.parametrize("by", ["f1", "accuracy"])
def test_without_a_reason_it_is_a_half(by: By) -> None:
    nothing = np.array([])
    assert best_threshold(nothing, nothing, None, by) == 0.5
    assert best_threshold(np.array([0.3, 0.6]), np.array([True, False]), np.zeros(2), by) == 0.5


@pytest.mark.parametrize("by", ["f1", "accuracy"])
def test_without_rows_of_the_second_class_the_line_lies_above_all(by: By) -> None:
    assert best_threshold(np.array([0.1, 0.5, 0.8]), np.zeros(3, bool), None, by) == pytest.approx(0.9)


def test_a_rare_class_is_decided_for_earlier_by_its_f1() -> None:
    p = np.linspace(0, 1, 1001)
    second = np.random.default_rng(0).random(1001) < p**4
    assert best_threshold(p, second, None, "f1") < best_threshold(p, second, None, "accuracy")


@pytest.mark.parametrize("by", ["f1", "accuracy"])
def test_a_net_of_float32_decides_as_the_line_was_drawn(by: By) -> None:
    p = np.array([0.5, np.nextafter(np.float32(0.5), np.float32(1))], np.float32)
    threshold = best_threshold(p, np.array([False, True]), None, by)
    assert PredictedRows(np.array([0, 1]), np.stack([1 - p, p], axis=1), threshold=threshold).decided.tolist() == [0, 1]


@pytest.mark.parametrize("by", ["f1", "accuracy"])
def test_weights_stand_for_rows(by: By) -> None:
    rng = np.random.default_rng(3)
    p, times = rng.random(300), rng.integers(0, 4, 300)
    second = rng.random(300) < p
    repeated = best_threshold(np.repeat(p, times), np.repeat(second, times), None, by)
    assert best_threshold(p, second, times, by) == repeated
    assert best_threshold(p, second, times * 0.1, by) == repeated


@pytest.mark.parametrize("scale", [1e-300, 1e307])
@given(rows=ROWS, fn=st.integers(1, 16).map(lambda quarters: quarters / 4))
def test_only_the_ratio_of_costs_chooses(scale: float, rows: list[tuple[float, bool, float]], fn: float) -> None:
    p, second, weight = map(np.array, zip(*rows, strict=True))
    costs, scaled = Costs(1.0, fn), Costs(scale, scale * fn)
    assert scaled.threshold == pytest.approx(1 / (1 + fn), rel=1e-14)
    assert best_threshold(p, second, weight, scaled) == pytest.approx(best_threshold(p, second, weight, costs))
    if weight.any():
        (found,), (known,) = (trade_offs(p, second, weight, [0.5], each) for each in (scaled, costs))
        assert found.cost == pytest.approx(scale * (known.cost or 0.0))


def test_a_threshold_of_costs_saves_the_most() -> None:
    """Of 400 random tables, no line costs less than the one that is chosen."""
    rng = np.random.default_rng(0)
    for _ in range(400):
        p, second, costs = rng.random(12).round(1), rng.random(12) < 0.3, Costs(*rng.uniform(0.1, 9, 2).tolist())
        chosen = best_threshold(p, second, None, costs)
        paid = [row.cost for row in trade_offs(p, second, None, [chosen, *lines(p)], costs) if row.cost is not None]
        assert paid[0] == pytest.approx(min(paid))
