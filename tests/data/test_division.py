"""Divisions of rows by a column: each row is in one bin, and words say what holds there."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.data.division import Division, divisions_of, rounded_cuts
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts

numbers = st.one_of(st.floats(-1e6, 1e6), st.integers(-5, 5).map(float), st.just(float("nan")))


def holds(words: str, x: float) -> bool:
    """Return whether the words of a condition on a number are true of it."""
    if words.endswith("is empty"):
        return bool(np.isnan(x))
    between = re.fullmatch(r"(\S+) < x <= (\S+)", words)
    if between:
        return float(between[1]) < x <= float(between[2])
    sign, end = words.split()[1:]
    return {"=": x == float(end), "<=": x <= float(end), ">": x > float(end)}[sign]


@given(st.lists(numbers, min_size=1, max_size=60))
def test_the_words_of_a_condition_on_numbers_say_which_rows_it_holds_for(values: list[float]) -> None:
    column = np.round(np.array(values), 3)
    for division in divisions_of(Table("t", {"x": column}), "x", "number"):
        for i, words in enumerate(division.words):
            np.testing.assert_array_equal(division.rows(i), [holds(words, x) for x in column.tolist()], words)


@given(st.lists(st.floats(-1e300, 1e300), min_size=9, max_size=60, unique=True))
def test_there_are_rows_on_both_sides_of_each_cut(values: list[float]) -> None:
    cuts = rounded_cuts(np.array(values))
    assert (np.diff(cuts) > 0).all()
    assert min(values) <= cuts[0]
    assert cuts[-1] < max(values)


def of(column: Any, kind: Any) -> list[Division]:
    return list(divisions_of(Table("t", {"c": column}), "c", kind))


def test_a_category_is_a_part_and_rare_ones_are_one_together() -> None:
    texts = [*"aabbccddeeffgghhiijjkkll", "m", "n", None]
    (division,) = of(Texts.of(texts), "category")
    assert division.parts == (*"abcdefghijkl", "(other)", "(empty)")
    assert division.words[-2:] == ("c is none of the 12 most frequent", "c is empty")
    assert division.rows(12).sum() == 2


def test_an_empty_text_and_a_long_one_can_be_read() -> None:
    (division,) = of(Texts.of(["", "a" * 50]), "category")
    assert division.words == ("c = ''", f"c = {'a' * 39}\u2026")


def test_dates_are_divided_by_year_month_and_weekday() -> None:
    days = np.arange("2020-01-01", "2024-01-01", dtype="datetime64[D]").astype("datetime64[us]")
    years, months, weekdays = of(days, "date")
    assert years.parts == ("c in 2020", "c in 2021", "c in 2022", "c in 2023")
    assert "c before 2022" in years.words
    np.testing.assert_array_equal(
        days[years.rows(years.words.index("c before 2022"))], days[days < np.datetime64("2022")]
    )
    assert months.words[1] == "c in February"
    assert months.rows(1).sum() == 29 + 28 * 3
    assert all(day.weekday() == 6 for day in days[weekdays.rows(6)].astype("datetime64[s]").astype(object))


def test_dates_of_one_year_are_divided_by_day() -> None:
    days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]").astype("datetime64[us]")
    by_day = of(days, "date")[0]
    assert by_day.words[0] == "c up to 2020-01-08"
    assert by_day.rows(0).sum() == 8


@pytest.mark.parametrize("column", [np.zeros(5), np.full(5, np.nan), np.zeros(0)])
def test_equal_cells_make_no_division(column: Any) -> None:
    assert of(column, "number") == []


def test_booleans_are_named_as_in_a_file() -> None:
    (division,) = of(np.array([True, False, True]), "number")
    assert division.words == ("c = false", "c = true")
    (named,) = divisions_of(Table("t", {"c": np.array([1.0, 0.0])}), "c", "number", ("alt", "aktiv"))
    assert named.words == ("c = alt", "c = aktiv")
