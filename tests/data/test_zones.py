"""Dates with an offset from UTC: their calendar goes by local time, against the standard library, from every source."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.arrow import dates_from_texts, parse_dates
from nnfs_cli.data.csv import blocks as csv_blocks
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.dates import ZONED, days, in_zone, local, utc
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.parquet.source import Parquet
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps.base import DateStep, Fit
from nnfs_cli.data.steps.calendar import Calendar
from nnfs_cli.data.table import Table, concatenate_tables
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.workflows.baselines import BaselineInputs
from tests.components.registry import components_restored

Moment = dt.datetime | None
PARTS = ("trend", "year_cycle", "month_cycle", "week_cycle", "day_cycle", "weekend")
ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "UTC")]
OFFSETS = [dt.timezone(dt.timedelta(minutes=minutes)) for minutes in (0, 120, -210, 345, 14 * 60, -12 * 60)]
SATURDAY = "2026-01-31 00:30:00+02:00"  # in UTC it is Friday, 22:30

FEW = settings(max_examples=20)
instants = st.datetimes(dt.datetime(1972, 1, 2), dt.datetime(2099, 1, 1), timezones=st.just(dt.UTC))
columns = st.lists(st.none() | instants, min_size=2, max_size=12).filter(any)


def moved(moments: list[Moment], zone: dt.tzinfo) -> list[Moment]:
    return [None if moment is None else moment.astimezone(zone) for moment in moments]


def by_clock(moments: list[Moment]) -> Array:
    """Return all parts of the calendar but the trend, (rows, 9), by the standard library; 0 for a gap."""
    rows = []
    for moment in moments:
        if moment is None:
            rows.append([0.0] * 9)
            continue
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        new_year, month = midnight.replace(month=1, day=1), midnight.replace(day=1)
        next_month = (month + dt.timedelta(days=32)).replace(day=1)
        phases = [
            (midnight - new_year) / (new_year.replace(year=new_year.year + 1) - new_year),
            (midnight - month) / (next_month - month),
            midnight.weekday() / 7,
            (moment.replace(tzinfo=None) - midnight) / dt.timedelta(days=1),
        ]
        cycles = [of(2 * np.pi * phase) for phase in phases for of in (np.sin, np.cos)]
        rows.append([*cycles, float(midnight.weekday() >= 5)])
    return np.array(rows)


def check(table: Table, moments: list[Moment]) -> None:
    """Check the calendar columns of the column `when`."""
    dates, step = table.zoned_dates("when"), Calendar(parts=PARTS)
    fit = step.fit(dates)
    found = step.transform(dates, fit)
    np.testing.assert_allclose(found[:, 1:10], by_clock(moments), atol=1e-11)
    there = np.array([moment is not None for moment in moments])
    since = np.array([moment.timestamp() / 86_400 for moment in moments if moment])
    np.testing.assert_allclose(days(table.dates("when"))[there], since, rtol=1e-12)
    np.testing.assert_allclose(found[there, 0], (since - fit["mean"]) / fit["scale"], atol=1e-6)


def name_of(zone: dt.tzinfo) -> str:
    """Return the name by which Arrow knows a zone."""
    return str(pa.array([dt.datetime(2026, 1, 1, tzinfo=zone)]).type.tz)


# --- every source ----------------------------------------------------------------------------------------------------


FORMATS: dict[str, Callable[[dt.datetime], str]] = {
    "T and +hh:mm": lambda moment: moment.isoformat("T"),
    "space and +hhmm": lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S.%f%z"),
    "up to minutes": lambda moment: moment.replace(second=0, microsecond=0).isoformat(" ", "minutes"),
}


@pytest.mark.parametrize("how", FORMATS)
@FEW
@given(moments=columns, zones=st.lists(st.sampled_from([*ZONES, *OFFSETS]), min_size=12, max_size=12))
def test_a_text_has_the_local_time_that_it_says(how: str, moments: list[Moment], zones: list[dt.tzinfo]) -> None:
    local_moments = [moved([moment], zone)[0] for moment, zone in zip(moments, zones, strict=False)]
    if how == "up to minutes":
        local_moments = [m and m.replace(second=0, microsecond=0) for m in local_moments]
    texts = [moment and FORMATS[how](moment) for moment in local_moments]
    check(Table("t", {"when": Texts.of(texts)}), local_moments)


days_of = st.sampled_from(["2026-01-31", "2024-02-29", "2026-02-30", "1969-12-31", "soon"])
times_of = st.sampled_from(["", "T12", " 00:30", "T23:59:59", " 12:30:00.5", "T12:30:00.123456", " 24:00", "T7:30"])
offsets_of = st.sampled_from(["", "Z", "+02:00", "-0330", "+14:00", "+14:01", "-05", "+99:99", "+12:60", "-23:30", "z"])


@given(
    cells=st.lists(st.none() | st.tuples(days_of, times_of, offsets_of).map("".join), min_size=1, max_size=4),
    ending=st.none() | offsets_of,
)
def test_both_date_parsers_agree(cells: list[str | None], ending: str | None) -> None:
    """Arrow parses columns in one notation, and Python all others text by text."""
    if ending is not None:
        cells = [cell and cell[:10] + "T12:30:00" + ending for cell in cells]
    column = pa.chunked_array([pa.array(cells, pa.string())])
    (dates, wrong), (expected, is_wrong) = parse_dates(column), dates_from_texts(Texts.of(cells))
    for of in (utc, local):
        np.testing.assert_array_equal(of(dates), of(expected))
    np.testing.assert_array_equal(wrong, is_wrong)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "list", "series of objects"])
@FEW
@given(moments=columns, zone=st.sampled_from([*ZONES, *OFFSETS[1:]]))
def test_a_column_in_a_zone_has_its_local_times(library: str, moments: list[Moment], zone: dt.tzinfo) -> None:
    there = moved(moments, zone)
    if library == "polars" and not isinstance(zone, ZoneInfo):
        zone = ZONES[0]  # polars has no fixed offsets
        there = moved(moments, zone)
    make: dict[str, Callable[[], Any]] = {
        "pandas": lambda: pd.DataFrame({"when": pd.Series(pd.to_datetime(moments, utc=True)).dt.tz_convert(zone)}),
        "polars": lambda: pl.DataFrame({"when": moments}).with_columns(
            pl.col("when").cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(str(zone))
        ),
        "pyarrow": lambda: pa.table(
            {"when": pa.array(moments, pa.timestamp("us", pa.array([there[0] or max(filter(None, there))]).type.tz))}
        ),
        "list": lambda: {"when": there},
        "series of objects": lambda: pd.DataFrame({"when": pd.Series(there, dtype=object)}),
    }
    check(InMemory(target=("y",)).of(make[library]()).read({"when": "date"}), there)


@FEW
@given(moments=columns, zones=st.lists(st.sampled_from([*ZONES, *OFFSETS]), min_size=12, max_size=12))
def test_datetimes_of_one_column_may_have_offsets_of_their_own(moments: list[Moment], zones: list[dt.tzinfo]) -> None:
    there = [moved([moment], zone)[0] for moment, zone in zip(moments, zones, strict=False)]
    for data in ({"when": there}, [{"when": moment} for moment in there], pd.DataFrame({"when": there}, dtype=object)):
        source = InMemory(target=("y",)).of(data)
        check(source.read(), there)
        check(concatenate_tables(list(source.chunks({"when": "date"}))), there)


@pytest.mark.parametrize("size", [40, 1 << 20])
def test_a_csv_file_keeps_offsets_in_every_way_of_reading(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", size)
    texts = ["2026-01-31T00:30:00Z", SATURDAY, "", "2026-01-31 00:30:00-03:30", "2026-07-31T23:59:59.5+05:45"] * 4
    path = tmp_path / "t.csv"
    path.write_text("when,y\n" + "".join(f"{text},1\n" for text in texts))
    moments = [dt.datetime.fromisoformat(text) if text else None for text in texts]
    source = Csv(path=str(path), target=("y",))
    assert source.kinds() == {"when": "date", "y": "number"}
    check(source.read(), moments)
    check(source.read({"when": "date"}), moments)
    check(concatenate_tables(list(source.chunks({"when": "date"}))), moments)
    path.write_text(path.read_text() + "soon,1\n")
    tables = list(source.chunks({"when": "date"}, faults=True))
    whole = concatenate_tables(tables)
    check(whole.take(np.arange(len(texts))), moments)
    assert [len(table.faults) for table in tables][-1] == 1


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_a_parquet_file_keeps_the_zone_of_a_column(unit: str, tmp_path: Path) -> None:
    moments = [dt.datetime(2026, 3, 28, 22, 30, tzinfo=dt.UTC) + dt.timedelta(hours=i) for i in range(6)]
    table = pa.table({"when": pa.array(moments, pa.timestamp(unit, "Europe/Berlin")), "y": range(6)})
    parquet.write_table(table, tmp_path / "t.parquet")
    source = Parquet(path=str(tmp_path / "t.parquet"), target=("y",))
    check(source.read(), moved(moments, ZONES[0]))
    check(next(iter(source.chunks({"when": "date"}))), moved(moments, ZONES[0]))


# --- what a column of dates is ---------------------------------------------------------------------------------------


def test_a_column_without_offsets_is_stored_as_instants_alone() -> None:
    for texts in (["2026-01-31", None], ["2026-01-31T12Z", "2026-01-31 12:00:00+00:00"]):
        assert Table("t", {"when": Texts.of(texts)}).zoned_dates("when").dtype == "datetime64[us]"
    utc_column = pa.array([0, None], pa.timestamp("us", "UTC"))
    assert InMemory(target=("y",)).of({"when": utc_column}).read().columns["when"].dtype == "datetime64[us]"  # type: ignore[union-attr]


def test_dates_without_an_offset_are_utc_beside_dates_that_have_one() -> None:
    dates = Table("t", {"when": Texts.of([SATURDAY, "2026-01-31 00:30:00", None])}).zoned_dates("when")
    assert dates.dtype == ZONED
    there = np.array(["2026-01-31 00:30", "2026-01-31 00:30", "NaT"], "datetime64[us]")
    np.testing.assert_array_equal(local(dates), there)
    np.testing.assert_array_equal(utc(dates), there - np.array([120, 0, 0], "timedelta64[m]"))


def test_rows_are_taken_and_joined_with_their_local_times() -> None:
    table = Table("t", {"when": Table("t", {"when": Texts.of([SATURDAY, None])}).zoned_dates("when")})
    plain = Table("t", {"when": np.array(["2026-02-01"], "datetime64[us]")})
    whole = concatenate_tables([plain, table.take(np.array([1, 0])), table])
    expected = ["2026-02-01", "NaT", "2026-01-31 00:30", "2026-01-31 00:30", "NaT"]
    np.testing.assert_array_equal(local(whole.zoned_dates("when")), np.array(expected, "datetime64[us]"))
    assert whole.kind("when") == "date"
    assert (whole.text_of(2, "when"), whole.text_of(1, "when")) == ("2026-01-31 00:30:00", "")
    assert whole.column("when")[2] == np.datetime64("2026-01-30 22:30")


def test_a_zone_that_is_not_known_is_refused() -> None:
    column = pa.array([0], pa.timestamp("us", "Mars/Olympus"))
    table = InMemory(target=("y",)).of({"when": column}).read()
    with pytest.raises(DataError, match="'when' is in the time zone Mars/Olympus, which this machine does not know"):
        table.dates("when")


@FEW
@given(
    moments=st.lists(st.none() | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(9999, 12, 1)), min_size=1),
    zone=st.sampled_from(ZONES),
    around=st.integers(-90, 90),
)
def test_local_times_are_those_of_the_standard_library(moments: list[Moment], zone: ZoneInfo, around: int) -> None:
    """Some are near a change to or from summer time."""
    changes = [dt.datetime(2026, 3, 29, 1), dt.datetime(2045, 10, 29, 1), dt.datetime(2026, 11, 1, 4, 30)]
    moments = [*moments, *(change + dt.timedelta(minutes=around) for change in changes)]
    moments *= 1 + 60 * (around % 2)  # many instants go another way than few
    clocks = [moment and moment.replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None) for moment in moments]
    found = local(in_zone(np.array(moments, "datetime64[us]"), zone.key))
    np.testing.assert_array_equal(found, np.array(clocks, "datetime64[us]"))


# --- nets ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Config]:
    """Write a config for a table of nights that are of one day in UTC and of the next where they happen."""

    def write(**changes: Any) -> Config:
        nights = [dt.datetime(2026, 1, 1, 22, 30) + dt.timedelta(days=i) for i in range(28)]
        there = [night + dt.timedelta(hours=2) for night in nights]
        rows = "".join(f"{night}+02:00,{int(night.weekday() >= 5)}\n" for night in there)
        (tmp_path / "t.csv").write_text("when,y\n" + rows)
        spec = {
            "dataset": {"csv": {"path": "t.csv", "target": "y"}},
            "preprocessing": {"dates": {"calendar": ["weekend"]}},
            "layers": [{"linear": 1}],
            "loss": "mse",
            "epochs": 1,
            "split": 0,
        }
        (tmp_path / "c.yaml").write_text(json.dumps(spec | changes))
        return Config.load(tmp_path / "c.yaml")

    return write


def weekends(predictor: Predictor, data: Any) -> list[float]:
    (table,) = InMemory(target=("y",)).of(data).chunks(predictor.encoder.kinds)
    return predictor.encoder.encode(table, np.float64)[:, 0].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("edition", [1, 2])
def test_a_net_knows_local_weekends_and_earlier_runs_those_in_utc(
    edition: int, config: Callable[..., Config], tmp_path: Path
) -> None:
    experiment = workflows.prepare(config(edition=edition))
    X, truth = experiment.splits["train"].X[:, 0], experiment.splits["train"].truth[:, 0]
    assert (X.astype(float) == truth).all() == (edition == 2)
    run = workflows.begin(experiment, tmp_path / "runs")
    workflows.train(experiment, run)
    restored = workflows.restore(run)
    assert ("zoned" in run.records.data()["fitted"]["inputs"][0]) == (edition == 2)
    saturday = float(edition == 2)
    moment = dt.datetime.fromisoformat(SATURDAY)
    for data in ({"when": moment}, {"when": SATURDAY}, pd.DataFrame({"when": [moment]}), [{"when": moment}] * 2):
        assert set(weekends(restored, data)) == {saturday}


def test_baselines_know_local_weekends() -> None:
    table = Table("t", {"when": Texts.of([SATURDAY, "2026-02-02 12:00:00+02:00"])})
    preprocessing = Preprocessing(dates=Calendar(parts=("weekend",)))
    days_and_weekend = BaselineInputs(table, {"when": "date"}, preprocessing).matrix(table)
    np.testing.assert_allclose(days_and_weekend, [[days(table.dates("when"))[0], 1], [days(table.dates("when"))[1], 0]])


def test_a_split_by_time_goes_by_instants(config: Callable[..., Config], tmp_path: Path) -> None:
    spec = config(split={"test": 0.25, "time": "when"})
    (tmp_path / "t.csv").write_text(
        "when,y\n2026-01-01T10:00+12:00,1\n2026-01-01T02:00-02:00,2\n2026-01-01T01:00Z,3\n2026-01-01T09:00+08:00,4\n"
    )
    experiment = workflows.prepare(spec)
    assert experiment.splits["test"].truth.ravel().tolist() == [2]


def test_a_step_that_takes_no_zones_gets_local_times(config: Callable[..., Config]) -> None:
    with components_restored():

        class Hour(DateStep, name="hour_of_test"):
            """The hour of the day."""

            def fit(self, dates: Array, weights: Array | None = None) -> Fit:
                return {}

            def names(self, fit: Fit) -> tuple[str, ...]:
                return ("hour",)

            def transform(self, dates: Array, fit: Fit) -> Array:
                return (dates.astype("datetime64[h]").astype(np.int64) % 24)[:, None].astype(np.float64)

        spec = config(preprocessing={"dates": "hour_of_test"})
        assert set(workflows.prepare(spec).splits["train"].X.ravel()) == {0.0}
