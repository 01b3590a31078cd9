"""The ticks of an axis: round, inside the range, few, and written exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.charts.ticks import linear_ticks, log_ticks, written
from tests.charts.pictures import as_number

ANY = st.floats(-1e308, 1e308)
POSITIVE = st.floats(1e-300, 1e307)


@given(ANY, ANY, st.integers(2, 12), st.booleans())
def test_ticks_are_ordered_inside_the_range_and_not_too_many(a: float, b: float, most: int, whole: bool) -> None:
    low, high = sorted((a, b))
    if high - low <= abs(low) * 1e-9 or high / 2 - low / 2 < 1e-290:
        high = low + max(abs(low) * 1e-3, 1.0) if low < 1e307 else low * 1.01
    ticks = linear_ticks(low, high, most, whole)
    values = [tick.value for tick in ticks]
    assert values == sorted(set(values))
    assert all(low <= value <= high for value in values)
    assert len(ticks) <= most
    assert len(ticks) >= 1 or whole or most < 3
    if whole:
        assert all(value == round(value) for value in values)


@given(ANY, ANY, st.integers(2, 12))
def test_the_label_of_a_tick_is_its_number(a: float, b: float, most: int) -> None:
    low, high = sorted((a, b))
    if high / 2 - low / 2 < max(abs(low), abs(high)) * 1e-9 + 1e-290:
        return
    for tick in linear_ticks(low, high, most):
        assert as_number(tick.label) == pytest.approx(tick.value, rel=1e-12, abs=0)
    labels = [tick.label for tick in linear_ticks(low, high, most)]
    assert len(set(labels)) == len(labels)


@given(POSITIVE, POSITIVE, st.integers(2, 10))
def test_the_ticks_of_a_logarithmic_axis_are_inside_the_range_and_exact(a: float, b: float, most: int) -> None:
    low, high = sorted((a, b))
    if high < low * 1.001:
        high = low * 2
    ticks = log_ticks(low, high, most)
    assert len(ticks) <= most
    for tick in ticks:
        assert low <= tick.value <= high
        assert as_number(tick.label) == pytest.approx(tick.value, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (0.001, "0.001"),
        (1e-7, "10\u207b\u2077"),
        (-3e12, "\u22123\u00d710\u00b9\u00b2"),
    ],
)
def test_numbers_are_written_as_people_do(value: float, label: str) -> None:
    assert written(Fraction(str(value))) == label


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 1, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        (1, 100, ["20", "40", "60", "80", "100"]),
        (-3, 7, ["\u22122", "0", "2", "4", "6"]),
        (0, 30_000, ["0", "10,000", "20,000", "30,000"]),
    ],
)
def test_ticks_of_common_ranges(low: float, high: float, labels: list[str]) -> None:
    assert [tick.label for tick in linear_ticks(low, high, 5)] == labels


@pytest.mark.slow
def test_ticks_are_those_of_matplotlib() -> None:
    ticker = pytest.importorskip("matplotlib.ticker")
    rng, agreed = np.random.default_rng(0), 0
    for _ in range(2_000):
        low = rng.normal() * 10.0 ** rng.integers(-4, 6)
        high = low + abs(rng.normal()) * 10.0 ** rng.integers(-3, 6) + 1e-3
        ours = [tick.value for tick in linear_ticks(low, high, int(rng.integers(3, 10)))]
        if len(ours) < 2:
            continue
        bins = int((high - low) / (ours[1] - ours[0])) + 1  # as many as our step needs
        theirs = ticker.MaxNLocator(nbins=bins, steps=[1, 2, 2.5, 5, 10], min_n_ticks=1).tick_values(low, high)
        inside = [value for value in theirs if low <= value <= high]
        if theirs[1] - theirs[0] == pytest.approx(ours[1] - ours[0]):
            agreed += 1
            np.testing.assert_allclose(ours, inside, rtol=1e-9, atol=1e-9 * (high - low))
        else:  # they may need a bin less than their step allows
            assert 0.39 < (theirs[1] - theirs[0]) / (ours[1] - ours[0]) < 2.6
    assert agreed > 1_500
    for exponent in range(-8, 8):
        low, high = 10.0**exponent, 10.0 ** (exponent + 5)
        theirs = ticker.LogLocator(numticks=7).tick_values(low, high)
        powers = [tick.value for tick in log_ticks(low, high, 6)]
        np.testing.assert_allclose(powers, [value for value in theirs if 0.99 * low < value < 1.01 * high], rtol=1e-9)
