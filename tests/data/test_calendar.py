"""The calendar step, against the standard library."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import example, given

from nnfs_cli.data.steps import DateStep
from tests.data.step_helpers import dates, instants, step, stored


def by_clock(moment: datetime.datetime) -> dict[str, float]:
    """Return the phases of the cycles, computed with the standard library."""
    midnight = datetime.datetime.combine(moment, datetime.time())
    leap = moment.year % 4 == 0 and (moment.year % 100 != 0 or moment.year % 400 == 0)
    month_length = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][moment.month - 1]
    return {
        "year": (moment.timetuple().tm_yday - 1) / (365 + leap),
        "month": (moment.day - 1) / month_length,
        "week": moment.weekday() / 7,
        "day": (moment - midnight) / datetime.timedelta(days=1),
    }


EVERYTHING = "calendar: [trend, year_cycle, month_cycle, week_cycle, day_cycle, weekend]"


@given(moments=instants)
@example(moments=[datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), datetime.datetime(2000, 2, 29)])
@example(moments=[datetime.datetime.min, datetime.datetime.max, None])
def test_calendar_agrees_with_the_standard_library(moments: list[datetime.datetime | None]) -> None:
    of: DateStep = step(EVERYTHING)
    column = dates(*moments)
    fit = stored(of.fit(column))
    result = dict(zip(of.names(fit), of.transform(column, fit).T, strict=True))
    there = [moment for moment in moments if moment]
    rows = ~np.isnat(column)
    for cycle in ("year", "month", "week", "day"):
        angle = 2 * np.pi * np.array([by_clock(moment)[cycle] for moment in there])
        np.testing.assert_allclose(result[f"{cycle} sin"][rows], np.sin(angle), atol=1e-12)
        np.testing.assert_allclose(result[f"{cycle} cos"][rows], np.cos(angle), atol=1e-12)
    assert result["weekend"][rows].tolist() == [moment.weekday() >= 5 for moment in there]
    assert all((values[~rows] == 0).all() for name, values in result.items() if name != "is empty")
    assert ("is empty" in result) == (None in moments)
    if None in moments:
        assert result["is empty"].tolist() == [moment is None for moment in moments]


def test_the_trend_is_the_standardised_day() -> None:
    column = dates("2026-01-01", "2026-01-02 12:00", "2026-03-01")
    days = np.array([0, 1.5, 59])
    of = step("calendar: [trend]")
    result = of.transform(column, of.fit(column))
    np.testing.assert_allclose(result[:, 0], (days - days.mean()) / days.std(), rtol=1e-9)


@pytest.mark.parametrize(
    ("texts", "parts"),
    [
        (["2020-01-05", "2021-06-07", "2022-03-01"], ["trend", "year_cycle", "week_cycle"]),
        (["2020-01-05 10:00", "2021-06-07 22:00"], ["trend", "year_cycle", "week_cycle", "day_cycle"]),
        (["2020-01-05 10:00", "2020-01-05 22:00"], ["trend", "day_cycle"]),
        (["2019-07-01", "2020-07-01", "2021-07-01"], ["trend", "week_cycle"]),
        (["2020-01-06", "2020-03-02", "2020-06-01"], ["trend", "year_cycle"]),
        (["2020-01-06", "2020-01-06"], ["trend"]),
        (["2020-01-06", None], ["trend"]),
    ],
)
def test_parts_without_variation_are_left_out(texts: list[str | None], parts: list[str]) -> None:
    assert step("calendar").fit(dates(*texts))["parts"] == parts


def test_the_trend_of_a_single_date_is_zero() -> None:
    column = dates("2020-01-06", "2020-01-06", None)
    of = step("calendar")
    fit = of.fit(column)
    assert of.names(fit) == ("trend", "is empty")
    assert of.transform(column, fit).tolist() == [[0, 0], [0, 0], [0, 1]]


def test_an_empty_date_is_refused_unless_training_rows_have_one() -> None:
    of, asked = step("calendar"), dates("2020-05-05", None)
    without = of.fit(dates("2020-01-06", "2020-02-01"))
    assert of.unknown(asked, without).tolist() == [False, True]
    assert (of.transform(asked, without)[1] == 0).all()
    assert not of.unknown(asked, of.fit(dates("2020-01-06", None))).any()
    with pytest.raises(ValueError, match="is empty in every training row"):
        of.fit(dates(None, None))


@given(trained=instants, asked=instants)
def test_a_date_is_transformed_independently_of_other_rows(
    trained: list[datetime.datetime | None], asked: list[datetime.datetime | None]
) -> None:
    of: DateStep = step("calendar")
    column, before = dates(*asked), dates(*asked)
    fit = of.fit(dates(*trained))
    result = of.transform(column, fit)
    assert result.shape == (len(column), len(of.names(fit)))
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(of.transform(column, stored(fit)), result)
    np.testing.assert_array_equal(np.isnat(column), np.isnat(before))
    alone = [of.transform(column[[row]], fit)[0] for row in range(len(column))]
    np.testing.assert_allclose(alone, result, rtol=1e-14, atol=1e-15)


def test_calendar_takes_the_full_range_of_dates() -> None:
    limits = np.array([np.iinfo(np.int64).min + 1, np.iinfo(np.int64).max]).astype("datetime64[us]")
    of = step(EVERYTHING)
    result = of.transform(limits, of.fit(limits))
    assert np.isfinite(result).all()
    assert (np.abs(result) <= 1.0000001).all()


def test_an_empty_cell_that_no_training_row_had_may_be_allowed() -> None:
    dates = np.array(["2024-01-01", "2024-05-01", "NaT"], "datetime64[us]")
    for unseen, refused in (("error", True), ("empty", False)):
        of = step(f"calendar: {{unseen: {unseen}}}")
        fit = of.fit(dates[:2])
        assert of.unknown(dates, fit).tolist() == [False, False, refused]
        assert (of.transform(dates, fit)[2] == 0).all()
