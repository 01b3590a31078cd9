"""The profile of input columns, and the drift of other rows from it."""

from __future__ import annotations

import itertools
import json
import math
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2_contingency, chisquare, entropy

from nnfs_cli.data.drift import FLOOR, Drift, DriftRow, p_value, population_stability_index, psi_by_chance
from nnfs_cli.data.profile import profile
from nnfs_cli.data.table import Column, Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError


def of(column: Any) -> Table:
    """A table of one column x: numbers, dates or texts."""
    texts = isinstance(column, list) and all(isinstance(value, str | None) for value in column)
    return Table(
        "t.csv", {"x": Texts.of(column) if texts else column if isinstance(column, Texts) else np.array(column)}
    )


def kept(column: Any, kind: Kind) -> dict[str, Any]:
    """The profile of a column, written to JSON and read back."""
    found: dict[str, Any] = json.loads(json.dumps(profile(of(column), "x", kind), allow_nan=False))
    return found


def drift(then: Any, now: Any, kind: Kind) -> DriftRow:
    """The drift report of one column."""
    compared = Drift([kept(then, kind)])
    compared.add(of(now))
    (row,) = compared.report()
    return row


def days(*texts: str) -> Column:
    return np.array(texts, "datetime64[us]")


finite = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.lists(st.none() | finite | st.sampled_from([0.0, 1.0, -0.0, 1.7e308, -1.7976931348623157e308])).map(
    lambda values: np.array([math.nan if value is None else value for value in values], np.float64)
)
truths = arrays(np.bool_, st.integers(0, 30))
words = st.lists(st.none() | st.text(min_size=1, max_size=3) | st.sampled_from("abc")).map(Texts.of)
dates = st.lists(st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))).map(
    lambda values: np.array([np.datetime64("NaT") if value is None else value for value in values], "datetime64[us]")
)
columns_of_a_kind = st.sampled_from([("number", numbers | truths), ("category", words | truths), ("date", dates)])


# --- the index --------------------------------------------------------------------------------------------------------


def test_index_of_two_bins_follows_the_formula() -> None:
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    assert population_stability_index(p, q) == pytest.approx(math.log(3) / 4)
    assert population_stability_index(q, p) == pytest.approx(math.log(3) / 4)


@given(arrays(np.float64, 5, elements=st.floats(0.01, 1)), arrays(np.float64, 5, elements=st.floats(0.01, 1)))
def test_index_is_the_sum_of_both_relative_entropies(a: np.ndarray, b: np.ndarray) -> None:
    p, q = a / a.sum(), b / b.sum()
    assert population_stability_index(p, q) == pytest.approx(entropy(p, q) + entropy(q, p), abs=1e-12)


def test_share_of_zero_counts_as_the_floor() -> None:
    expected = 2 * (1 - FLOOR) * math.log(1 / FLOOR)
    assert population_stability_index(np.array([1, 0]), np.array([0, 1])) == pytest.approx(expected)


# --- what is remembered -----------------------------------------------------------------------------------------------


def test_profile_of_numbers_has_their_deciles() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    found = kept(np.append(values, [np.nan] * 250), "number")
    assert found["edges"] == np.quantile(values, np.arange(1, 10) / 10, method="inverted_cdf").tolist()
    assert found["shares"] == pytest.approx([0.1] * 10)
    assert (found["min"], found["max"], found["missing"]) == (values.min(), values.max(), 0.2)


@given(numbers)
def test_shares_equal_a_histogram_whose_bins_include_the_upper_edge(values: np.ndarray) -> None:
    found = kept(values, "number")
    known = values[~np.isnan(values)]
    bounds = [-math.inf, *found["edges"], math.inf]
    counts = [((low < known) & (known <= high)).sum() for low, high in itertools.pairwise(bounds)]
    assert found["shares"] == pytest.approx([n / max(len(known), 1) for n in counts])
    assert found["edges"] == sorted(set(found["edges"]))


def test_profile_of_categories_has_their_counts() -> None:
    found = kept(["b", "a", None, "b", "c", "a", "b", None], "category")
    assert found == {
        "name": "x", "kind": "category", "rows": 8, "missing": 0.25, "counts": {"b": 3, "a": 2, "c": 1}, "others": 0
    }  # fmt: skip
    assert list(found["counts"]) == ["b", "a", "c"]


def test_profile_counts_the_thousand_most_frequent_categories_and_the_number_of_others() -> None:
    words = [f"{i:04}" for i in range(1500)]
    found = kept(words[::-1] + words[600:1400] + ["0700"], "category")
    assert len(found["counts"]) == 1000
    assert list(found["counts"])[:3] == ["0700", "0600", "0601"]
    assert list(found["counts"])[-200:] == words[:200]
    assert found["others"] == 500
    assert sum(found["counts"].values()) + found["others"] == 2301


def test_profile_of_dates_counts_days_and_has_a_readable_range() -> None:
    found = kept(days("2026-01-31", "1970-01-02T12:00", "NaT", "1969-12-31"), "date")
    assert (found["min"], found["max"], found["missing"]) == ("1969-12-31", "2026-01-31", 0.25)
    assert found["edges"][-2:] == [1.5, 20484.0]
    assert kept(days("2026-01-31T12:30:00.5"), "date")["max"] == "2026-01-31T12:30:00.500"


def test_truth_values_and_integers_may_be_categories() -> None:
    assert kept([True, False, True], "category")["counts"] == {"true": 2, "false": 1}
    assert kept([3, 2, 3], "category")["counts"] == {"3": 2, "2": 1}


def test_column_of_another_kind_is_refused_with_the_cell() -> None:
    with pytest.raises(DataError, match=r"^t\.csv, row 2: column 'x' should hold numbers, found 'b'"):
        profile(of(["1", "b"]), "x", "number")


# --- the comparison ---------------------------------------------------------------------------------------------------


@given(columns_of_a_kind.flatmap(lambda kind: st.tuples(st.just(kind[0]), kind[1])))
def test_same_rows_have_no_drift(kind_and_column: tuple[Kind, Column]) -> None:
    kind, column = kind_and_column
    row = drift(column, column, kind)
    if not len(column):
        assert row[1:] == (None, None, None, None, None, 0, "unknown")
        return
    assert row.psi == 0
    assert row.verdict == "stable"
    assert row.missing == row.missing_then
    assert not row.outside
    assert not row.unseen


@given(columns_of_a_kind.flatmap(lambda kind: st.tuples(st.just(kind[0]), kind[1], kind[1])), st.integers(1, 9))
@example(("number", np.array([-1.7976931348623157e308]), np.array([1.7e308, math.nan])), 1)
def test_drift_does_not_depend_on_the_size_of_the_pieces(columns: tuple[Kind, Column, Column], size: int) -> None:
    kind, then, now = columns
    whole, pieces = Drift([kept(then, kind)]), Drift([kept(then, kind)])
    whole.add(of(now))
    for start in range(0, len(now), size):
        pieces.add(of(now[start : start + size]))
    assert whole.report() == pieces.report()
    (row,) = whole.report()
    assert (row.psi is None) == (not len(now))
    assert row.psi is None or 0 <= row.psi < 100
    assert all(share is None or 0 <= share <= 1 for share in row[3:7])
    json.dumps(row, allow_nan=False)


def test_drift_of_rarer_categories_follows_the_formula() -> None:
    row = drift(["a"] * 500 + ["b"] * 500, ["a"] * 50 + ["b"] * 150, "category")
    assert row._replace(chance=0) == ("x", pytest.approx(math.log(3) / 4), 0, 0, None, 0, 0, "large")


def test_gaps_are_a_bin_of_their_own() -> None:
    for kind, now in (("number", [1.0, 2.0, np.nan, np.nan]), ("category", ["a", "b", None, None])):
        then = [value for value in now[:2] for _ in range(10)]
        row = drift(then, now, kind)
        expected = 2 * (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.5 - FLOOR) * math.log(0.5 / FLOOR)
        assert (row.psi, row.missing, row.missing_then) == (pytest.approx(expected), 0.5, 0)


def test_drift_of_doubled_numbers_follows_the_formula() -> None:
    row = drift(np.arange(1, 101), np.arange(2, 201, 2), "number")
    p, q = np.full(10, 0.1), np.array([*[0.05] * 9, 0.55])
    assert row._replace(chance=0) == (
        "x", pytest.approx(((q - p) * np.log(q / p)).sum()), 0, None, 0.5, 0, 0, "large"
    )  # fmt: skip


@pytest.mark.parametrize(("share", "verdict"), [(0.5, "stable"), (0.65, "stable"), (0.7, "moderate"), (0.8, "large")])
def test_verdict_follows_the_usual_limits_if_rows_are_many(share: float, verdict: str) -> None:
    row = drift([True, False] * 1000, [True] * round(2000 * share) + [False] * round(2000 - 2000 * share), "number")
    assert row.psi == pytest.approx((share - 0.5) * math.log(share / (1 - share)))
    assert row.verdict == verdict
    few = drift([True, False] * 1000, [True] * round(20 * share) + [False] * round(20 - 20 * share), "number")
    assert few.psi == pytest.approx(row.psi)
    assert few.verdict == ("large" if share == 0.8 else "stable")


@pytest.mark.parametrize("rows", [12, 118])
def test_index_by_chance_is_the_mean_of_many_draws(rows: int) -> None:
    rng, expected = np.random.default_rng(0), np.array([0.01, 0.04, 0.15, 0.8])
    drawn = [
        population_stability_index(then, now)
        for then, now in zip(
            rng.multinomial(10_000, expected, 6000) / 10_000, rng.multinomial(rows, expected, 6000) / rows, strict=True
        )
    ]
    error = np.std(drawn) / math.sqrt(len(drawn))
    assert psi_by_chance(expected, expected, rows, 10_000) == pytest.approx(np.mean(drawn), abs=4 * error)
    assert psi_by_chance(expected, expected, 1001, 0) == pytest.approx(
        psi_by_chance(expected, expected, 1000, 0), rel=0.2
    )


@pytest.mark.parametrize(("then", "now"), [([30, 50, 20], [9, 8, 3]), ([400, 100], [35, 15]), ([5, 0, 95], [0, 1, 9])])
def test_p_value_is_that_of_a_chi_square_test(then: list[int], now: list[int]) -> None:
    p, q = np.array(then) / sum(then), np.array(now) / sum(now)
    expected = chi2_contingency([then, now], correction=False).pvalue
    assert p_value(p, q, sum(now), sum(then)) == pytest.approx(expected, rel=0.05)


def test_without_training_rows_in_the_profile_the_p_value_is_that_of_known_shares() -> None:
    expected = chisquare([30, 50, 20], [40, 40, 20]).pvalue
    assert p_value(np.array([0.4, 0.4, 0.2]), np.array([0.3, 0.5, 0.2]), 100, 0) == pytest.approx(expected, rel=0.05)


def test_unseen_categories_are_no_drift_where_most_categories_are_seen_once() -> None:
    rng = np.random.default_rng(0)
    names = [f"{i}" for i in rng.integers(0, 10**6, 900)]
    row = drift(names[:800], names[800:], "category")
    assert row.unseen is not None
    assert row.psi is not None
    assert (row.unseen > 0.9, row.psi > 1, row.verdict) == (True, True, "stable")
    assert row.chance == pytest.approx(row.psi, rel=0.3)
    twice = drift(names[:400] * 2, names[800:], "category")
    assert twice.verdict == "large"


def _categories(rng: np.random.Generator, n: int) -> list[str]:
    return [f"c{i}" for i in rng.choice(5, n, p=[0.4, 0.3, 0.2, 0.05, 0.05])]


DESIGNS: dict[str, tuple[Kind, Callable[[np.random.Generator, int], Any]]] = {
    "normal": ("number", lambda rng, n: rng.normal(size=n)),
    "many gaps": ("number", lambda rng, n: np.where(rng.random(n) < 0.5, np.nan, rng.normal(size=n))),
    "a rare value": ("number", lambda rng, n: (rng.random(n) < 0.03) * 1.0),
    "categories": ("category", _categories),
    "many categories": ("category", lambda rng, n: [f"c{i}" for i in rng.integers(0, 60, n)]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("rows", [10, 50, 100, 1_000, 10_000])
def test_columns_without_drift_are_stable_in_95_of_100_tables(name: str, rows: int) -> None:
    (kind, draw), rng, n = DESIGNS[name], np.random.default_rng(rows), 1_000
    alarms = sum(drift(draw(rng, 2_000), draw(rng, rows), kind).verdict != "stable" for _ in range(n))
    assert alarms / n <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / n)


def alarms_of_ten_columns(then: int, now: int, shift: float, tables: int) -> float:
    """Return the share of tables of ten normal columns in which some column is not stable."""
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(tables):
        first, second = rng.normal(size=(10, then)), rng.normal(size=(10, now))
        second[0] += shift
        compared = Drift([{**kept(column, "number"), "name": f"x{j}"} for j, column in enumerate(first)])
        compared.add(Table("t", {f"x{j}": column for j, column in enumerate(second)}))
        alarms += any(row.verdict != "stable" for row in compared.report())
    return alarms / tables


@pytest.mark.parametrize(
    ("then", "now", "tables"),
    [
        (60, 300, 150),
        *(
            pytest.param(then, now, 1_000, marks=pytest.mark.slow)
            for then in (60, 100, 200)
            for now in (100, 300, 2_000)
        ),
    ],
)
def test_few_training_rows_are_no_drift(then: int, now: int, tables: int) -> None:
    assert alarms_of_ten_columns(then, now, 0, tables) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / tables)


def test_a_shift_is_seen_with_few_training_rows() -> None:
    assert alarms_of_ten_columns(60, 300, 1, 20) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "least"), [(20, 0.75), (50, 0.97), (100, 0.99)])
def test_a_shift_by_a_standard_deviation_is_seen_in_few_rows(rows: int, least: float) -> None:
    rng = np.random.default_rng(0)
    found = [drift(rng.normal(size=2_000), rng.normal(1, size=rows), "number").verdict for _ in range(200)]
    assert found.count("large") / 200 >= least - 3 * math.sqrt(least * (1 - least) / 200)


def test_share_of_rows_with_unseen_categories() -> None:
    row = drift(["a", "b", None], ["a", "c", "d", None], "category")
    assert (row.unseen, row.outside) == (0.5, None)


def test_unseen_categories_share_one_bin() -> None:
    row = drift(["a"] * 10, ["a"] * 5 + ["b", "c", "d", "e", "f"], "category")
    assert row.psi == pytest.approx((0.5 - 1) * math.log(0.5) + (0.5 - FLOOR) * math.log(0.5 / FLOOR))


def test_rare_categories_share_one_bin() -> None:
    rare = [f"r{i}" for i in range(100)]
    row = drift(["a"] * 9900 + rare, ["a"] * 99 + ["r7"], "category")
    assert (row.psi, row.unseen) == (pytest.approx(0), 0)


def test_no_category_counts_as_unseen_if_the_profile_left_some_out() -> None:
    names = [f"{i}" for i in range(3000)]
    row = drift(names, ["new", *names[:99]], "category")
    assert row.unseen is None
    assert row.psi == pytest.approx(0)  # all are rare


def test_share_of_rows_outside_the_range() -> None:
    row = drift([1.0, 5.0], [0.9, 1.0, 5.0, 5.1, math.nan], "number")
    assert (row.outside, row.unseen, row.missing) == (0.4, None, 0.2)
    row = drift(
        days("2026-01-01", "2026-01-31"), days("2025-12-31", "2026-01-01", "2026-01-31T00:00:01", "NaT"), "date"
    )
    assert (row.outside, row.unseen, row.missing) == (0.5, None, 0.25)


@pytest.mark.parametrize("now", [0.5, 2.0])
def test_changed_constant_has_drifted(now: float) -> None:
    row = drift([1.0] * 20, [now] * 20, "number")
    assert (row.verdict, row.outside) == ("large", 1)


@pytest.mark.parametrize(("then", "now"), [(True, False), (False, True)])
def test_inverted_truth_values_have_drifted(then: bool, now: bool) -> None:
    assert drift([then] * 10, [now] * 10, "number").verdict == "large"


def test_truth_values_equal_numbers() -> None:
    assert drift([True, False], [1.0, 0.0], "number")._replace(chance=0)[1:] == (0, 0, None, 0, 0, 0, "stable")
    assert drift([1, 0], [True, False], "number")._replace(chance=0)[1:] == (0, 0, None, 0, 0, 0, "stable")


EMPTY: list[Any] = [[math.nan] * 20, [None] * 20, np.array(["NaT"] * 20, "datetime64[us]")]


@pytest.mark.parametrize("empty", EMPTY, ids=["numbers", "texts", "dates"])
@pytest.mark.parametrize(
    ("kind", "full"), [("number", [1.0, 2.0] * 10), ("category", ["a", "b"] * 10), ("date", days(*["2026-01-01"] * 20))]
)
def test_empty_column_fits_any_kind(empty: Any, kind: Kind, full: Any) -> None:
    assert drift(empty, empty, kind)[1:] == (0, 0, 0 if kind == "category" else None, None, 1, 1, "stable")
    emptied, filled = drift(full, empty, kind), drift(empty, full, kind)
    assert (emptied.missing_then, emptied.missing, emptied.verdict) == (0, 1, "large")
    assert (filled.missing_then, filled.missing, filled.verdict) == (1, 0, "large")


def test_profile_of_older_runs_has_only_a_range() -> None:
    compared = Drift([{"name": "x", "kind": "number", "min": 1.0, "max": 2.0}])
    compared.add(of([0.0, 1.5, math.nan, 2.0]))
    assert compared.report() == [("x", None, None, None, 0.25, 0.25, None, "unknown")]


def test_rows_of_the_report_are_in_the_order_of_the_inputs() -> None:
    table = Table("t", {"b": np.array([1.0, 2.0]), "a": Texts.of(["u", "v"]), "unused": Texts.of(["", ""])})
    compared = Drift([profile(table, "a", "category"), profile(table, "b", "number")])
    compared.add(table)
    assert [row.column for row in compared.report()] == ["a", "b"]


def test_missing_column_is_an_error() -> None:
    compared = Drift([kept([1.0], "number")])
    with pytest.raises(DataError, match="has no column 'x'"):
        compared.add(Table("t", {"y": np.array([1.0])}))


def test_drift_keeps_no_rows() -> None:
    compared = Drift([kept(["a", "b"], "category")])

    def peak(chunks: range) -> int:
        tracemalloc.reset_peak()
        for i in chunks:
            compared.add(of([f"{i} {j}" for j in range(1000)]))
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        first = peak(range(3))
        assert peak(range(3, 60)) < 1.2 * first
    finally:
        tracemalloc.stop()
