"""Forward folds and gaps: rows in the order of time, of which nets train on the earlier ones only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from nnfs_cli.arrays import Array
from nnfs_cli.data.folds import Folds, deal_forward, instants_in_latest
from nnfs_cli.data.split import Split
from nnfs_cli.data.table import Table
from nnfs_cli.errors import ConfigError, DataError


def forward(times: Any, n_folds: int, n_in_folds: int, gap: Any = None) -> Folds:
    table = Table("t.csv", {"when": np.asarray(times)})
    return deal_forward(table, np.arange(len(times)), Split(time="when", gap=gap), n_folds, n_in_folds)


@given(st.integers(4, 200), st.integers(2, 10), st.integers(0, 5), st.integers(0, 1000))
def test_folds_are_those_of_scikit_learn_where_instants_differ(n: int, k: int, gap: int, seed: int) -> None:
    assume(n > k and n - n // (k + 1) * k > gap)
    order = np.random.default_rng(seed).permutation(n)
    found = forward(order, k, n // (k + 1) * k, gap + 1 if gap else None)  # scikit-learn counts the rows in between
    for fold, (train, test) in enumerate(TimeSeriesSplit(k, gap=gap).split(np.arange(n))):
        np.testing.assert_array_equal(np.sort(order[found.trains[:, fold]]), train)
        np.testing.assert_array_equal(np.sort(order[found.fold == fold]), test)


@given(
    st.lists(st.integers(0, 30), min_size=3, max_size=150),
    st.integers(2, 8),
    st.floats(0.1, 0.9),
    st.sampled_from(["int64", "uint8", "float64", "datetime64[D]"]),
    st.sampled_from([0, 1, 4]),
)
def test_every_net_trains_on_earlier_rows_only(times: list[int], k: int, share: float, dtype: str, gap: int) -> None:
    days = np.array(times)
    column: Array = days.astype("datetime64[D]").astype("datetime64[us]") if dtype[0] == "d" else days.astype(dtype)
    setting = None if not gap else f"{gap} days" if dtype[0] == "d" else gap
    n_instants = len(set(times))
    if n_instants <= k:
        with pytest.raises(DataError, match=r"t\.csv: column 'when' has .* too few for . folds with earlier rows"):
            forward(column, k, round(share * len(times)), setting)
        return
    first = days[forward(column, k, round(share * len(times))).fold == 0].min()
    if not (days <= first - gap).any():
        with pytest.raises(DataError, match="has no row before the first of"):
            forward(column, k, round(share * len(times)), setting)
        return
    found = forward(column, k, round(share * len(times)), setting)
    assert set(found.fold.tolist()) - {-1} == set(range(k))
    for fold in range(k):
        start = days[found.fold == fold].min()
        np.testing.assert_array_equal(found.trains[:, fold], (days < start) & (days <= start - gap))
    assert all(len(set(found.fold[days == day])) == 1 for day in set(times))
    assert (np.diff(found.fold[np.argsort(days, kind="stable")]) >= 0).all()
    np.testing.assert_array_equal(found.of_all, found.trains[:, 0])


@given(st.lists(st.integers(0, 40), min_size=1, max_size=150), st.floats(0.1, 0.9))
def test_as_many_folds_as_the_latest_instants_can_be_dealt(times: list[int], share: float) -> None:
    n_folds = instants_in_latest(np.array(times), share)
    assert 1 <= n_folds <= len(set(times))
    if n_folds < len(set(times)):
        found = forward(times, n_folds, round(share * len(times)))
        assert set(found.fold.tolist()) == {*range(-1, n_folds)}


# --- gaps ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 weeks", timedelta(weeks=2)),
        ("1 week", timedelta(weeks=1)),
        ("7 days", timedelta(days=7)),
        ("0.5 day", timedelta(hours=12)),
        ("12 hours", timedelta(hours=12)),
        ("90min", timedelta(minutes=90)),
        ("90 minutes", timedelta(minutes=90)),
        ("1.5 seconds", timedelta(seconds=1.5)),
        (timedelta(hours=36), timedelta(hours=36)),
    ],
)
def test_a_gap_in_words_is_that_long(text: Any, expected: timedelta) -> None:
    start = np.datetime64("2026-03-01", "us")
    times = start - np.array([np.timedelta64(0), expected, expected - timedelta(microseconds=1)], "timedelta64[us]")
    rows = Split(time="when", gap=text, validation=0.3).divide(Table("t", {"when": times}), None, 0)
    assert {split: list(found) for split, found in rows.items()} == {"train": [1], "validation": [0], "test": []}


@pytest.mark.parametrize(
    "gap", ["7", "7 d", "days", "-1 days", "7 months", "1 day 2 hours", -1, 0, True, float("nan"), "1e3 days", "0 days"]
)
def test_what_is_no_gap_is_refused(gap: Any) -> None:
    with pytest.raises(ConfigError, match=r"split.gap: expected a duration, such as 7 days, 12 hours or 90 min, or a"):
        Split(time="when", gap=gap)


def test_a_gap_needs_the_order_of_time() -> None:
    with pytest.raises(ConfigError, match="a gap lies between rows in the order of time; name the column"):
        Split(group="g", gap="7 days")


@pytest.mark.parametrize(
    ("column", "gap", "message"),
    [
        (np.arange(10), "7 days", "column 'when' holds numbers, so the gap of the split must be a number, such as 7"),
        (np.arange(10).astype("datetime64[us]"), 7, "holds dates, so the gap of the split must be a duration"),
        (np.arange(10), 100, r"t\.csv: all earlier rows lie within the gap of the split, so no row is left to train"),
    ],
)
def test_a_gap_that_does_not_fit_the_column_is_an_error(column: Array, gap: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Split(time="when", gap=gap).divide(Table("t.csv", {"when": column}), None, 0)


def test_rows_in_the_gap_are_in_no_split() -> None:
    table = Table("t.csv", {"when": np.arange(100)[::-1].copy()})
    rows = Split(time="when", gap=5, validation=0.2, test=0.1).divide(table, None, 0)
    when = {split: sorted(table.numbers("when")[found].tolist()) for split, found in rows.items()}
    assert when == {"train": [*range(66)], "validation": [*range(70, 90)], "test": [*range(90, 100)]}
