"""The comparison of figures: what counts as better."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.metrics.direction import Mode, improves


@pytest.mark.parametrize(
    ("value", "best", "mode", "min_delta", "better"),
    [
        (1.0, 2.0, "min", 0.0, True),
        (2.0, 2.0, "min", 0.0, False),
        (3.0, 2.0, "min", 0.0, False),
        (3.0, 2.0, "max", 0.0, True),
        (2.0, 2.0, "max", 0.0, False),
        (1.5, 2.0, "min", 0.5, False),
        (1.25, 2.0, "min", 0.5, True),
        (2.5, 2.0, "max", 0.5, False),
        (2.75, 2.0, "max", 0.5, True),
        (inf, None, "min", 0.0, True),
        (inf, nan, "min", 9.0, True),
        (1.0, inf, "min", 9.0, True),
        (inf, inf, "max", 0.0, False),
        (nan, None, "min", 0.0, False),
        (nan, nan, "max", 0.0, False),
        (nan, inf, "min", 0.0, False),
        (nan, -inf, "max", 0.0, False),
    ],
)
def test_improving_takes_more_than_min_delta_and_nan_never_improves(
    value: float, best: float | None, mode: Mode, min_delta: float, better: bool
) -> None:
    assert improves(value, best, mode, min_delta) is better


@given(st.lists(st.floats(), min_size=1), st.sampled_from(["min", "max"]))
def test_the_last_improvement_is_the_best_of_all_values(values: list[float], mode: Mode) -> None:
    best = None
    for value in values:
        if improves(value, best, mode):
            best = value
    numbers = [value for value in values if value == value]
    assert best == ((min if mode == "min" else max)(numbers) if numbers else None)
