"""Parsers read numbers, dates and booleans as people write them, by settings that all cells of a column settle."""

from __future__ import annotations

import io
import re
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.dates import local, utc
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.parsing import Parser
from nnfs_cli.data.parsing.boolean import Boolean
from nnfs_cli.data.parsing.date import Date
from nnfs_cli.data.parsing.duration import Duration
from nnfs_cli.data.parsing.evidence import Evidence
from nnfs_cli.data.parsing.month_names import MONTHS
from nnfs_cli.data.parsing.number import Number
from nnfs_cli.data.parsing.range import Range
from nnfs_cli.data.parsing.recognise import recognise
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, NnfsWarning


def read(parser: Parser, *cells: str) -> list[float]:
    """Return the numbers in cells, with the settings that they settle."""
    (values,) = parser.settle(Evidence.of(Texts.of(cells))).parse(cells)
    return values.tolist()


def days(parser: Parser, *cells: str) -> list[str]:
    """Return the days in cells, as ISO writes them, with the settings that they settle."""
    (dates,) = parser.settle(Evidence.of(Texts.of(cells))).parse(cells)
    return [str(day) for day in utc(dates).astype("datetime64[D]")]


NUMBERS = {
    "US": (["$2,493.94", "$5", "-$3.50", "$-4", "($1,000)"], [2493.94, 5, -3.5, -4, -1000]),
    "German": (["1.638,23", "5,5 €", "-1.000 EUR"], [1638.23, 5.5, -1000]),
    "French": (["1 638,23", "12\u202f000", "1\u00a0000,5"], [1638.23, 12000, 1000.5]),
    "Swiss": (["1'638.23", "12.-", "1\u2019000.\u2013"], [1638.23, 12, 1000]),
    "Indian": (["12,34,567", "1,23,456.5", "99"], [1234567, 123456.5, 99]),
    "percent": (["20%", "5.5 %", "-1%"], [20, 5.5, -1]),
    "per mille beside percent": (["20%", "30 %", "5\u2030"], [20, 30, 0.5]),
    "grams and kilograms": (["5.7 kg", "500 g", "1.25kg"], [5.7, 0.5, 1.25]),
    "powers of ten": (["1.2M", "350", "3k", "2bn"], [1.2e6, 350, 3000, 2e9]),
    "millions of euros": (["3,5 Mio. €", "1,2 Mrd. €"], [3.5e6, 1.2e9]),
    "minus behind": (["15-", "3", "4-"], [-15, 3, -4]),
    "other minus signs": (["\u22125", "\u20137.5", "+2"], [-5, -7.5, 2]),
    "square meters": (["50 m2", "80.5 m\u00b2"], [50, 80.5]),
    "plural": (["3 rooms", "1 room"], [3, 1]),
    "stars": (["4.5/5", "3/5"], [4.5, 3]),
    "powers of e": (["1.2e5 kg", "3e-2kg"], [120000, 0.03]),
    "many digits": (["0.12345678901234567 kg", "2 kg"], [0.12345678901234567, 2]),
    "feet and inches": (["6 ft", "3 in"], [6, 0.25]),
    "prices by area": (["1.300,50 €/m²", "900 €/m²"], [1300.5, 900]),
}


@pytest.mark.parametrize(("cells", "values"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_read_as_people_write_them(cells: list[str], values: list[float]) -> None:
    assert read(Number(), *cells) == pytest.approx(values, rel=1e-15)


DATES = {
    "German": (["31.12.2023", "1.2.2024"], ["2023-12-31", "2024-02-01"]),
    "British": (["03/04/2024", "13/04/2024"], ["2024-04-03", "2024-04-13"]),
    "American": (["3/4/24", "3/14/24"], ["2024-03-04", "2024-03-14"]),
    "month names": (["Dec 01, 2023", "Jan 5, 2024"], ["2023-12-01", "2024-01-05"]),
    "ordinals": (["Dec 1st, 2023", "Mar 22nd, 2024"], ["2023-12-01", "2024-03-22"]),
    "digits": (["20231201", "20231231"], ["2023-12-01", "2023-12-31"]),
    "months": (["Dec-23", "Jan-24"], ["2023-12-01", "2024-01-01"]),
    "weekday": (["Mon, 04 Dec 2023 23:00:00 GMT", "Tue, 05 Dec 2023 10:00:00 GMT"], ["2023-12-04", "2023-12-05"]),
    "half days": (["12/31/23 11:59 PM", "12/30/23 12:01 AM"], ["2023-12-31", "2023-12-30"]),
    "two formats": (["2024-03-04", "23/03/2024"], ["2024-03-04", "2024-03-23"]),
    "no such day": (["31.02.2023", "30.03.2023"], ["NaT", "2023-03-30"]),
    "two digits": (["01/02/68", "30/06/69"], ["2068-02-01", "1969-06-30"]),
}


@pytest.mark.parametrize(("cells", "expected"), DATES.values(), ids=DATES)
def test_dates_are_read_as_people_write_them(cells: list[str], expected: list[str]) -> None:
    assert days(Date(), *cells) == expected


@pytest.mark.parametrize("language", MONTHS)
def test_months_are_read_in_each_language(language: str) -> None:
    for spelled in MONTHS[language]:
        cells = [f"7. {name} 2024" for name in spelled.split()]
        assert days(Date(), *cells) == [f"2024-{month:02}-07" for month in range(1, 13)]


def test_an_offset_gives_the_instant_and_the_local_time() -> None:
    cells = ["2023-12-01 10:15:30.123456+02:00", "2023-12-01T10:15:30Z"]
    (dates,) = Date().settle(Evidence.of(Texts.of(cells))).parse(cells)
    assert utc(dates).tolist() == [datetime(2023, 12, 1, 8, 15, 30, 123456), datetime(2023, 12, 1, 10, 15, 30)]
    assert local(dates).tolist() == [datetime(2023, 12, 1, 10, 15, 30, 123456), datetime(2023, 12, 1, 10, 15, 30)]


def test_numbers_that_count_days_or_seconds_are_dates() -> None:
    assert Date("excel").parse(["45291", "45291.5"])[0].tolist() == [datetime(2023, 12, 31), datetime(2023, 12, 31, 12)]
    assert Date("unix").parse(["1704067199"])[0].tolist() == [datetime(2023, 12, 31, 23, 59, 59)]
    assert Date("unix_ms").parse(["-500"])[0].tolist() == [datetime(1969, 12, 31, 23, 59, 59, 500000)]


@pytest.mark.parametrize(
    ("parser", "cells", "choices"),
    [
        (Date(), ["03/04/2024", "05/06/2024"], [{"format": ("%d/%m/%Y",)}, {"format": ("%m/%d/%Y",)}]),
        (Number(), ["1,234", "2,345"], [{"decimal": "."}, {"decimal": ","}]),
        (Number(), ["20%", "0.2"], [{"unit": "%"}]),
        (Number(), ["5 kg", "500 g", "7"], [{"unit": "kg"}]),
    ],
)
def test_what_the_cells_leave_open_is_asked_for(parser: Parser, cells: list[str], choices: list[Any]) -> None:
    found = recognise(Texts.of(cells))
    assert found is not None
    assert "set  " in found.question
    chosen = [{key: getattr(c, key) for key in one} for c, one in zip(found.choices, choices, strict=True)]
    assert chosen == choices
    with pytest.raises(ValueError, match="set  "):
        parser.settle(Evidence.of(Texts.of(cells)))


DURATIONS = {
    "units": (
        ["1h 30m", "2h", "90 min", "1.5 hours", "1 day, 3 hours", "250 ms"],
        [5400, 7200, 5400, 5400, 97200, 0.25],
    ),
    "hours first": (["01:30", "23:59"], [5400, 86340]),
    "minutes first": (["1:30", "59:45", "1:00:00.5"], [90, 3585, 3600.5]),
    "pandas": (["0 days 01:30:00", "1 days 02:03:04.5"], [5400, 93784.5]),
    "ISO 8601": (["PT1H30M", "P1DT2S"], [5400, 86402]),
    "half days": (["2:30 PM", "12:05 am"], [52200, 300]),
    "not times": (["1:30:00", "1:75:00", "soon"], [5400, np.nan, np.nan]),
}


@pytest.mark.parametrize(("cells", "seconds"), DURATIONS.values(), ids=DURATIONS)
def test_durations_are_read_as_seconds(cells: list[str], seconds: list[float]) -> None:
    assert read(Duration(), *cells) == pytest.approx(seconds, nan_ok=True, rel=1e-15)


RANGES = {
    "dashes": (["10-20", "20 \u2013 30", "15"], [(10, 20), (20, 30), (15, 15)]),
    "words": (["from 10 to 20", "5 bis 7"], [(10, 20), (5, 7)]),
    "open": (["18-39", "65+", "< 5", "\u2265 70"], [(18, 39), (65, np.nan), (np.nan, 5), (70, np.nan)]),
    "shared units": (["5-7 kg", "500-900 g"], [(5, 7), (0.5, 0.9)]),
    "prices": (["$10k - $20k", "$10-$25.50"], [(10000, 20000), (10, 25.5)]),
    "intervals": (["[10, 20)", "(20, 30.5]"], [(10, 20), (20, 30.5)]),
    "negative": (["-5 - 10", "-10--5"], [(-5, 10), (-10, -5)]),
    "no ranges": (["20-10", "10-x", "10-20"], [(np.nan, np.nan), (np.nan, np.nan), (10, 20)]),
}


@pytest.mark.parametrize(("cells", "expected"), RANGES.values(), ids=RANGES)
def test_ranges_are_read_as_two_numbers(cells: list[str], expected: list[tuple[float, float]]) -> None:
    both = Range().settle(Evidence.of(Texts.of(cells))).parse(cells)
    np.testing.assert_array_equal(np.transpose(both), expected)


def test_a_range_in_a_file_makes_two_columns(tmp_path: Path) -> None:
    source = table(tmp_path, "price,size\n1,10-20\n2,20-30\n", {"size": "range"})
    found = source.read({"size high": "category"})
    assert list(found.columns) == ["price", "size low", "size high"]
    assert list(found.columns["size high"]) == ["20", "30"]
    (chunk,) = source.settled().chunks({"size high": "number"})
    assert [(name, list(column)) for name, column in chunk.columns.items()] == [
        ("size low", [10, 20]),
        ("size high", [20, 30]),
    ]


def test_booleans_are_read_in_many_languages() -> None:
    assert read(Boolean(), "ja", "Nein", "JA ", "nein.") == [1, 0, 1, 0]
    assert read(Boolean(), "oui", "non") == [1, 0]
    assert read(Boolean(one="aktiv", zero=("inaktiv", "alt")), "Aktiv", "alt") == [1, 0]


@pytest.mark.parametrize(
    ("given", "other"), [("nein", "ja"), ("Oui", "Non"), ("Y", "N"), ("off", "on"), ("x", "\u2717"), ("?", None)]
)
def test_a_boolean_is_rewritten_in_the_language_of_the_one_before(given: str, other: str | None) -> None:
    parser = Boolean()
    value = float(read(parser, given)[0] != 1) if other else 1.0
    assert parser.rewrite(value, given) == (other or "true")
    assert Boolean(one="aktiv", zero="alt").rewrite(1.0, "alt") == "aktiv"
    assert parser.rewrite(0.0, None) == "false"


VALUES = {  # as meant by whoever wrote them
    "US dollars": ["$2,493.94", "$5"],
    "euros": ["2.493,94 €", "5 €"],
    "percentages": ["20%", "5 %"],
    "numbers in kg": ["5.7 kg", "500 g", "3 kg"],
    "dates (%d.%m.%Y)": ["31.12.2023", "1.2.2023"],
    "dates (%b %d, %Y)": ["Dec 01, 2023", "Jan 12, 2024"],
    "dates (%Y%m%d)": ["20231201", "20231101", "20230101"],
    "yes or no": ["yes", "no", "no"],
    "durations": ["1h 30m", "45m", "2h"],
    "ranges of US dollars": ["$10-$20", "$5k to $7k"],
}


@pytest.mark.parametrize("meaning", VALUES)
def test_values_are_recognised_with_the_evidence(meaning: str) -> None:
    cells = VALUES[meaning] * 10
    found = recognise(Texts.of([*cells, None]))
    assert found is not None
    assert found.evidence == f"{len(cells)} of {len(cells)} cells read as {meaning}"
    assert (found.misfits, found.question) == ((), "")


def test_cells_that_do_not_fit_are_listed() -> None:
    found = recognise(Texts.of(["31.12.2023", "1.2.2023", "3.4.2023", "4.5.2023", "5.6.2023", "soon"]))
    assert found is not None
    assert (found.n_read, found.n_cells, found.misfits) == (5, 6, ("soon",))


CODES = [
    ["01067", "10115"], ["90210", "10115"], ["12345-6789", "12345-1234"], ["555-1234", "555-9876"],
    ["+49 30 123456", "+49 89 12345"], ["030 123456", "089 99999"], ["(555) 123-4567", "(555) 222-1111"],
    ["1.2.3", "2.0.1"], ["10.15.7", "11.2"], ["192.168.1.1", "10.0.0.1"], ["A-12", "A-13"], ["S", "M", "L"],
    ["12A", "7B"], ["100-A", "200-A"], ["SKU1", "SKU2"], ["732 829 320", "356 000 000"], ["M", "F"],
    ["Berlin", "Paris"], ["Yes", "No", "maybe"], ["#12", "#13"], ["978-3-16-148410-0", "978-1-16-148410-1"],
    ["12 Main Street", "2 Elm"], ["v1", "v2"], ["<5", ">10", "7"], ["a;b", "c"], ["2019", "2020"],
]  # fmt: skip


@pytest.mark.parametrize("cells", CODES, ids=" ".join)
def test_codes_and_categories_are_left_alone(cells: list[str]) -> None:
    assert recognise(Texts.of(cells * 5)) is None


@given(
    st.floats(-1e12, 1e12, allow_nan=False),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (".", ""), (",", ""), (".", "_")]),
    st.sampled_from(["one", "USD", "EUR", "%", "kg", "m²", "rooms", "km/h"]),
)
@settings(max_examples=40)
def test_a_number_that_is_written_is_read_as_itself(value: float, marks: tuple[str, str], unit: str) -> None:
    parser = Number(unit, decimal=marks[0], thousands=marks[1])
    assert parser.parse([parser.write(value)])[0].tolist() == [value]


FORMATS = (
    "%d.%m.%Y", "%m/%d/%Y", "%Y-%m-%d", "%d/%m/%y", "%b %d, %Y", "%d %B %Y", "%a, %d %b %Y", "%Y%m%d", "%Y-%j",
    "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S.%f", "%m/%d/%y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S%z", "%Y年%m月%d日",
    "%Y%m%dT%H%M%S", "%d-%b-%y %I.%M %p",
)  # fmt: skip


@given(st.floats(-1e7, 1e7, allow_nan=False))
@settings(max_examples=20)
def test_a_duration_that_is_written_is_read_as_itself(value: float) -> None:
    value = round(value, 6)
    assert Duration("h:m").parse([Duration("h:m").write(value)])[0].tolist() == [value]


@given(st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1e9)), st.sampled_from(["one", "EUR", "kg"]), st.sampled_from(".,"))
@settings(max_examples=20)
def test_a_range_that_is_written_is_read_as_itself(both: tuple[float, float], unit: str, decimal: Any) -> None:
    low, high = round(both[0], 4), round(both[0] + both[1], 4)
    parser = Range(unit, decimal=decimal)
    assert [side.tolist() for side in parser.parse([parser.write((low, high))])] == [[low], [high]]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), st.sampled_from(FORMATS), st.integers(-840, 840))
@settings(max_examples=40)
def test_a_date_is_read_as_strptime_reads_it_and_written_back(when: datetime, pattern: str, offset: int) -> None:
    text = when.replace(tzinfo=timezone(timedelta(minutes=offset))).strftime(pattern)
    expected = datetime.strptime(text, pattern)
    here, instant = expected.replace(tzinfo=None), expected - (expected.utcoffset() or timedelta())
    parser = Date(pattern)
    (dates,) = parser.parse([text])
    assert (local(dates).item(), utc(dates).item()) == (here, instant.replace(tzinfo=None))
    assert parser.write(dates[0]) == text


@given(
    st.datetimes(datetime(1900, 3, 2), datetime(2200, 1, 1)),
    st.sampled_from(["excel", "unix", "unix_ms", "unix_ns"]),
)
@settings(max_examples=40)
def test_a_date_that_is_counted_is_read_as_itself(when: datetime, pattern: str) -> None:
    parser = Date(pattern)
    when = when.replace(microsecond=when.microsecond // 1000 * 1000)
    (dates,) = parser.parse([parser.write(np.datetime64(when, "us"))])
    assert abs(dates.item() - when) <= timedelta(microseconds=5)  # a float of days has that much less


@pytest.mark.slow
@pytest.mark.parametrize(("decimal", "thousands"), [(".", ","), (",", "."), (",", " "), (".", "'")])
def test_a_column_of_any_locale_is_read_as_pandas_reads_it(decimal: str, thousands: str) -> None:
    values = np.random.default_rng(0).lognormal(6, 3, 20_000).round(3)
    cells = [f"{value:,.3f}".translate({ord(","): thousands, ord("."): decimal}) for value in values]
    expected = pd.read_csv(io.StringIO(";\n".join(["x;", *cells])), sep=";", decimal=decimal, thousands=thousands)["x"]
    np.testing.assert_array_equal(read(Number(), *cells), expected)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", FORMATS)
def test_a_column_of_dates_is_read_as_pandas_reads_it(pattern: str) -> None:
    days = np.random.default_rng(0).integers(0, 35_000 * 86_400, 20_000)
    when = pd.Series(pd.Timestamp("1970-01-01", tz="UTC") + pd.to_timedelta(days, unit="s"))
    cells = when.dt.strftime(pattern)
    expected = pd.to_datetime(cells, format=pattern, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
    np.testing.assert_array_equal(utc(Date(pattern).parse(cells.tolist())[0]), expected)


@pytest.mark.slow
def test_durations_are_read_as_pandas_reads_them() -> None:
    seconds = np.random.default_rng(0).integers(0, 10**10, 20_000) / 1000
    cells = [str(pd.Timedelta(round(s * 1000), unit="ms")) for s in seconds]
    np.testing.assert_array_equal(read(Duration(), *cells), pd.to_timedelta(cells).total_seconds())


PIECES = (
    "1", "12", "1,234", "1.5", "00", "2024", "31", "-", "\u2013", "(", ")", "$", "€", "kg", "g", "%", "M", "k", " ",
    "\u00a0", ".", ",", "'", "/", ":", "Dec", "mars", "PM", "am", "T", "Z", "+02:00", "h", "m", "s", "PT", "days", "to",
    "<", "+", "[", "]", "x", "ja", "nein", "Mon", "st", "é", "²", "e3", "~", "ca. ", "½", "\n", '"', ";", "Uhr",
    "de", "UTC", "\u2026", "\u2212", "#",
)  # fmt: skip


@pytest.mark.slow
@given(st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join), min_size=1, max_size=5))
@settings(max_examples=3_000)
def test_whatever_is_recognised_is_read_and_written_back(cells: list[str]) -> None:
    found = recognise(Texts.of(cells))
    if found is None:
        return
    assert found.parser.expected()
    values = found.parser.parse(cells)
    if found.parser.kind == "number" and len(values) == 1:
        numbers = values[0][~np.isnan(values[0])].tolist()
        again = found.parser.parse([found.parser.write(number) for number in numbers])[0]
        np.testing.assert_allclose(again, numbers, rtol=1e-12)


@given(st.lists(st.text("0123456789.,-+$€%() kgMeE/:'abz\u00a0", max_size=12), max_size=80))
@settings(max_examples=40)
def test_any_texts_are_read_alike_alone_and_together(cells: list[str]) -> None:
    for parser in (Number(), Date(), Boolean(), Duration(), Range()):
        try:
            settled = parser.settle(Evidence.of(Texts.of(cells)))
        except ValueError:
            continue
        together, *_ = settled.parse(cells * 2)
        stored, *_ = settled.parse(pa.array([None, *cells * 2], pa.large_string()))
        np.testing.assert_array_equal(utc(stored)[1:], utc(together))
        assert np.isnan(stored[:1]).all() if settled.kind == "number" else np.isnat(utc(stored)[:1]).all()
        alone = [settled.parse([cell])[0] for cell in cells]
        for one, both in zip(alone, utc(together), strict=False):
            np.testing.assert_array_equal(utc(one)[0], both)


def table(tmp_path: Path, text: str, parse: dict[str, Any], target: str = "price") -> Csv:
    """Return the data set of a CSV file with this text."""
    (tmp_path / "sales.csv").write_text(text, encoding="utf-8")
    parsers = {name: Parser.resolve(parser) for name, parser in parse.items()}
    return Csv(tmp_path / "sales.csv", target=target).parsed_by(parsers)


SALES = 'price,sold,paid\n"$1,638.50",03/04/2024,x\n$20.00,13/04/2024,\n'


def test_a_file_is_read_with_parsed_columns_whole_and_in_chunks(tmp_path: Path) -> None:
    source = table(tmp_path, SALES, {"price": "number", "sold": "date", "paid": "boolean"})
    whole = source.read()
    settled = source.settled()
    assert settled.parsers == whole.parsers
    (chunk,) = settled.chunks(settled.kinds())
    for found in (whole, chunk):
        assert found.columns["price"].tolist() == [1638.5, 20]  # type: ignore[union-attr]
        assert [str(date)[:10] for date in found.columns["sold"]] == ["2024-04-03", "2024-04-13"]
        assert found.columns["paid"].tolist() == [1, 0]  # type: ignore[union-attr]
    assert settled.kinds() == {"price": "number", "sold": "date", "paid": "number"}


def test_many_different_texts_are_read_as_few_are(tmp_path: Path) -> None:
    prices = np.random.default_rng(0).uniform(0, 5000, 3_000).round(2)
    rows = "".join(f'"${price:,.2f}",{"x" if price > 2500 else ""}\n' for price in prices)
    source = table(tmp_path, f"price,high\n{rows},\n", {"price": "number", "high": "boolean"})
    settled = source.settled()
    (chunk,) = settled.chunks(settled.kinds())
    for found in (source.read(), chunk):
        np.testing.assert_array_equal(found.columns["price"], [*prices, np.nan])
        np.testing.assert_array_equal(found.columns["high"], [*(prices > 2500), 0])


def test_a_cell_that_does_not_fit_is_an_error_with_its_line(tmp_path: Path) -> None:
    source = table(tmp_path, SALES + "free,14/04/2024,\n", {"price": "number"})
    message = (
        "sales.csv, line 4: column 'price' should hold numbers in US dollars, such as $1,638.50, found 'free';"
        " with  invalid: empty  the parser number reads such cells as empty"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        source.read()
    (chunk,) = source.parsed_by({"price": Number("USD", decimal=".")}).chunks({"price": "number"}, faults=True)
    assert list(chunk.faults) == [2]


def test_a_cell_that_does_not_fit_can_count_as_empty(tmp_path: Path) -> None:
    source = table(tmp_path, SALES + "free,14/04/2024,\n", {"price": {"number": {"invalid": "empty"}}})
    with pytest.warns(NnfsWarning, match="1 cell of 3 in column 'price' cannot be read and is empty"):
        assert np.isnan(source.read().columns["price"]).tolist() == [False, False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source.read()  # the warning comes once


def test_columns_that_are_numbers_or_dates_already_stay(tmp_path: Path) -> None:
    rows = {"size": [1.5, 2.5], "day": np.array(["2024-01-01", "2024-01-02"], "datetime64[us]"), "when": [20240131] * 2}
    source = InMemory(target="size").of(rows).parsed_by({"size": Number(), "day": Date(), "when": Date("%Y%m%d")})
    found = source.read()
    assert found.columns["size"].tolist() == [1.5, 2.5]  # type: ignore[union-attr]
    assert [str(date)[:10] for date in found.columns["day"]] == ["2024-01-01", "2024-01-02"]
    assert [str(date)[:10] for date in found.columns["when"]] == ["2024-01-31"] * 2
