"""The data set of rows given in Python: its digest, its roles, and rows that change or are missing."""

from __future__ import annotations

import datetime as dt
import decimal
import threading
import time
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError

SOURCE = InMemory(target="y")
ROWS: dict[str, list[Any]] = {
    "n": [1.5, None, -0.25, 3.0],
    "i": [1, 2, 3, 4],
    "b": [True, None, False, True],
    "t": ["b", None, "a", "b"],
    "d": [dt.datetime(2020, 1, 1), None, dt.datetime(1960, 5, 5, 1, 2, 3), dt.datetime(2020, 1, 1)],
}


def digest(data: Any) -> str:
    return SOURCE.of(data).read().sha256


def chunked(table: pa.Table, *lengths: int) -> pa.Table:
    parts, start = [], 0
    for length in lengths:
        parts.append(table.slice(start, length))
        start += length
    return pa.concat_tables(parts)


def garbled(table: pa.Table) -> pa.Table:
    """Return the same table with other bits under its gaps."""
    numbers = np.array([1.5, 7.75, -0.25, 3.0])
    column = pa.Array.from_buffers(pa.float64(), 4, [table["n"].chunk(0).buffers()[0], pa.py_buffer(numbers)])
    return table.set_column(0, "n", column)


# The digest


SAME = {
    "pandas": pd.DataFrame(ROWS),
    "nullable": pd.DataFrame(ROWS).convert_dtypes(),
    "of Arrow": pa.table(ROWS).to_pandas(types_mapper=pd.ArrowDtype),
    "categories": pd.DataFrame(ROWS).astype({"t": pd.CategoricalDtype(["z", "a", "b"])}),
    "polars": pl.DataFrame(ROWS),
    "enum": pl.DataFrame(ROWS).with_columns(pl.col("t").cast(pl.Enum(["z", "b", "a"]))),
    "chunks": chunked(pa.table(ROWS), 1, 0, 2, 1),
    "slice": chunked(pa.table(ROWS), 4, 4).slice(0, 4),
    "reader": chunked(pa.table(ROWS), 2, 2).to_reader(),
    "float32": {**ROWS, "n": np.array([1.5, np.nan, -0.25, 3.0], np.float32)},
    "other NaN": {**ROWS, "n": np.array([1.5, -np.nan, -0.25, 3.0])},
    "garbage": garbled(pa.table(ROWS)),
    "rows": [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)],
}  # fmt: skip


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_the_digest_depends_on_the_cells_and_not_on_what_holds_them(data: Any) -> None:
    assert digest(data) == digest(ROWS)


OTHERS = {
    "a number": {**ROWS, "n": [1.5, None, -0.25, 3.0000000000000004]},
    "a gap": {**ROWS, "n": [1.5, 0.0, -0.25, 3.0]},
    "a sign": {**ROWS, "i": [1, 2, 3, -4]},
    "the type": {**ROWS, "i": [1.0, 2.0, 3.0, 4.0]},
    "a text": {**ROWS, "t": ["b", None, "c", "b"]},
    "two texts": {**ROWS, "t": ["a", None, "b", "a"]},
    "an empty text": {**ROWS, "t": ["b", "", "a", "b"]},
    "a moment": {**ROWS, "d": [*ROWS["d"][:3], dt.datetime(2020, 1, 1, 0, 0, 0, 1)]},
    "a name": {("m" if name == "n" else name): cells for name, cells in ROWS.items()},
    "the order of rows": {name: cells[::-1] for name, cells in ROWS.items()},
    "one row less": {name: cells[:3] for name, cells in ROWS.items()},
    "one column less": {name: cells for name, cells in ROWS.items() if name != "b"},
}


@pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS)
def test_the_digest_changes_with_every_cell(data: Any) -> None:
    assert digest(data) != digest(ROWS)


def test_the_digest_does_not_depend_on_the_kinds_of_the_columns() -> None:
    source = SOURCE.of(ROWS)
    assert source.read({"i": "category", "n": "number"}).sha256 == source.read().sha256


texts = st.lists(st.sampled_from(["a", "b", "", "ab", None]), min_size=1)


@given(texts, texts)
def test_texts_have_the_same_digest_only_if_they_are_equal(one: list[str | None], other: list[str | None]) -> None:
    first, second = ({"a": pa.array(cells, pa.string()).dictionary_encode()} for cells in (one, other))
    assert (digest(first) == digest(second)) == (one == other)


@pytest.mark.slow
def test_a_digest_is_made_at_the_speed_of_sha256() -> None:
    source = SOURCE.of(np.random.default_rng(0).normal(size=(1_000_000, 20)))
    begun = time.perf_counter()
    source.read()
    assert time.perf_counter() - begun < 1.5  # 160 MB; 0.14 s alone on a machine of 2024


# Reading


def test_whole_numbers_become_exact_texts_of_categories() -> None:
    table = SOURCE.of({"a": [2**53 + 1, None, 2**53]}).read({"a": "category"})
    assert isinstance(table.columns["a"], Texts)
    assert table.columns["a"].tolist() == ["9007199254740993", None, "9007199254740992"]


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ([1.0, 0.5, None], ["1", "0.5", None]),
        ([True, None], ["true", None]),
        (np.array([0.1], np.float32), ["0.10000000149011612"]),
        ([dt.timedelta(seconds=90)], ["90"]),
        ([dt.date(2020, 1, 31), None], ["2020-01-31", None]),
        (["", " x ", "NA", "007", None], ["", " x ", "NA", "007", None]),
    ],
)
def test_cells_of_categories_are_these_texts(cells: Any, texts: list[str | None]) -> None:
    for data in ({"a": cells}, pa.table({"a": cells}), pl.DataFrame({"a": cells})):
        column = SOURCE.of(data).read({"a": "category"}).columns["a"]
        assert isinstance(column, Texts)
        assert column.tolist() == texts


def test_dropped_columns_are_named_and_not_read() -> None:
    table = InMemory(target="y", drop=("t", "n")).of({**ROWS, "y": [1, 2, 3, 4]}).read()
    assert list(table.columns) == ["i", "b", "d", "y"]
    assert table.not_read == ("n", "t")


def test_a_data_set_keeps_no_rows_after_training() -> None:
    bound = SOURCE.of(ROWS)
    for read in (bound.without_rows().read, bound.without_rows().names, SOURCE.read):
        with pytest.raises(DataError, match="whose rows are not kept"):
            read()
    assert bound.read().n_rows == 4
    assert bound.without_rows() == SOURCE


def test_a_message_calls_the_table_by_its_name_and_counts_rows_over_all_chunks() -> None:
    cells = [1.0] * 70_000 + [float("inf")]
    with pytest.raises(DataError, match=r"X, row 70001: column 'a' should hold finite numbers, found 'inf'"):
        list(SOURCE.of({"a": cells}, "X").chunks({"a": "number"}))
    with pytest.raises(DataError, match=r"X: column '' has no name|X: column 1 has no name"):
        SOURCE.of({" ": cells}, "X")


def test_columns_of_gaps_may_be_of_any_kind() -> None:
    gaps = (
        {"a": [None, None]},
        {"a": [pd.NaT, pd.NaT]},
        {"a": [np.nan, np.nan]},
        {"a": pa.array([None, None], pa.string())},
    )
    for data in gaps:
        for kind in ("number", "category", "date"):
            (table,) = SOURCE.of(data).chunks({"a": kind})
            column = table.columns["a"]
            assert column.gaps.all() if isinstance(column, Texts) else np.isnan(column).all()


def test_decimals_are_rounded_to_the_nearest_float_as_python_does() -> None:
    wholes = np.random.default_rng(0).integers(-(10**15), 10**15, 500).tolist()
    numbers = [decimal.Decimal(whole).scaleb(-6) for whole in wholes]
    column = SOURCE.of(pa.table({"a": pa.array(numbers, pa.decimal128(38, 6))})).read().columns["a"]
    assert column.tolist() == [float(number) for number in numbers]


def test_times_of_day_are_the_same_texts_from_every_library() -> None:
    times = [dt.time(1, 2, 3), None, dt.time(23, 59, 59, 250_000)]
    for data in (
        {"a": times},
        pd.DataFrame({"a": times}),
        pl.DataFrame({"a": times}),
        {"a": pa.array(times, pa.time64("ns"))},
    ):
        column = SOURCE.of(data).read().columns["a"]
        assert column.tolist() == ["01:02:03", None, "23:59:59.250000"]


def test_categories_of_polars_can_be_kept_and_read() -> None:
    frame = pl.DataFrame({"t": ["b", None, "a"]}).with_columns(pl.col("t").cast(pl.Categorical))
    (table,) = SOURCE.of(frame).chunks({"t": "category"}, ["t"])
    assert table.columns["t"].tolist() == table.kept["t"].to_pylist() == ["b", None, "a"]


def test_a_table_that_changes_while_it_is_read_gives_numbers_of_one_time_or_another() -> None:
    array = np.zeros(200_000)
    source, stop = SOURCE.of({"a": array}), threading.Event()

    def change() -> None:
        while not stop.is_set():
            array[:] = 1 - array

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(5):
            for table in source.chunks({"a": "number"}):
                assert set(np.unique(table.columns["a"])) <= {0.0, 1.0}
            assert source.read().n_rows == len(array)
    finally:
        stop.set()
        thread.join()


def test_lists_that_change_later_do_not_change_the_table() -> None:
    rows = {"a": [1, 2], "t": ["x", "y"]}
    source = SOURCE.of(rows)
    rows["a"].append(3)
    rows["t"].clear()
    assert source.read().columns["a"].tolist() == [1, 2]
