"""Tables that are given in Python: what becomes of each type, and what is refused with which words."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import enum
import warnings
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.python_tables import to_arrow_table
from nnfs_cli.errors import DataError

DATE, MOMENT = dt.date(2020, 1, 31), dt.datetime(2020, 1, 31, 12, 30)
ABROAD = dt.timezone(dt.timedelta(hours=2))
Number = decimal.Decimal


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# Columns


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, "x", 2.5, None, True], ["1", "x", "2.5", None, "true"]),
        ([True, 2], ["true", "2"]),
        (["", "x"], ["", "x"]),
        ([DATE, "x"], ["2020-01-31", "x"]),
        ([MOMENT.replace(tzinfo=ABROAD), "x"], ["2020-01-31 10:30:00", "x"]),
        ([dt.time(1, 2, 3), "x"], ["01:02:03", "x"]),
        ([Number("1.50"), "x", np.float32(0.5), np.bool_(False)], ["1.50", "x", "0.5", "false"]),
        ([1, 2.5, 2**60 + 1], [1.0, 2.5, float(2**60 + 1)]),
        ([2**70, -1, None], [float(2**70), -1.0, None]),
        ([2**64 - 1, -1], [float(2**64 - 1), -1.0]),
        ([10**400, 1], [np.inf, 1.0]),
        ([Number("1.5"), 2.25], [1.5, 2.25]),
        ([1.0, float("nan"), None, pd.NA, np.nan], [1.0, None, None, None, None]),
        (["x", float("nan"), None, pd.NA, pd.NaT], ["x", None, None, None, None]),
        ([1, "x", pd.NA, pd.NaT], ["1", "x", None, None]),
        ([DATE, MOMENT, None], [dt.datetime(2020, 1, 31), MOMENT, None]),
        ([MOMENT, DATE], [MOMENT, dt.datetime(2020, 1, 31)]),
        ([np.datetime64("2020-01-31"), MOMENT], [dt.datetime(2020, 1, 31), MOMENT]),
        ([MOMENT, pd.Timestamp(MOMENT), pd.NaT], [MOMENT, MOMENT, None]),
        ([np.str_("x"), "y"], ["x", "y"]),
        (range(3), [0, 1, 2]),
        (np.array(["2020-01-31T12", "NaT"], "datetime64[h]"), [dt.datetime(2020, 1, 31, 12), None]),
        (np.array(["2020-02", "NaT"], "datetime64[M]"), [dt.datetime(2020, 2, 1), None]),
        (np.array([1, 2], "timedelta64[m]"), [dt.timedelta(minutes=1), dt.timedelta(minutes=2)]),
        (np.array([1.5, 2], ">f8"), [1.5, 2.0]),
        (np.array([1, 2], ">i4"), [1, 2]),
        (np.array([1.5, np.nan], np.longdouble), [1.5, None]),
        (np.arange(10.0)[::-3], [9.0, 6.0, 3.0, 0.0]),
        (np.ma.array([1.0, 2.0], mask=[False, True]), [1.0, None]),
        (np.array(["x", None, np.nan, 3], object), ["x", None, None, "3"]),
        (pd.Series([1, 2], index=[7, 3]), [1, 2]),
        (pd.Series(pd.arrays.SparseArray([0, 0, 1])), [0, 0, 1]),
        (pd.Series(pd.Categorical([1, "x", None])), ["1", "x", None]),
        (pl.Series([1, None]), [1, None]),
        (pa.chunked_array([[1], [None]]), [1, None]),
    ],
)  # fmt: skip
def test_a_column_keeps_its_cells(cells: Any, expected: list[Any]) -> None:
    found = to_arrow_table({"a": cells}).column("a").to_pylist()
    assert found == expected
    assert list(map(type, found)) == list(map(type, expected))


HOLDERS = {
    "dict": lambda array: {"a": array},
    "pandas": lambda array: pd.DataFrame({"a": array}),
    "polars": lambda array: pl.DataFrame({"a": array}),
}


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_large_array_becomes_its_columns(order: Any) -> None:
    array = np.asarray(np.arange(3 * 20_001).reshape(20_001, 3), order=order)
    table = to_arrow_table(array)
    for j in range(3):
        np.testing.assert_array_equal(table.column(f"x{j}").to_numpy(), array[:, j])


@pytest.mark.parametrize("kind", ["f8", "f4", "i8", "i4", "u8", "u1"])
@pytest.mark.parametrize("holds", HOLDERS.values(), ids=HOLDERS)
def test_numbers_are_not_copied(kind: str, holds: Any) -> None:
    data = holds(np.arange(100_000).astype(kind))
    before = data["a"] if isinstance(data, dict) else data["a"].to_numpy()
    assert np.shares_memory(to_arrow_table(data).column("a").chunk(0).to_numpy(), before)


# Tables


Pair = namedtuple("Pair", "a b")
FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})
PLAIN = {"a": [1.0, 2.0], "b": ["x", None]}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (FRAME, PLAIN),
        (FRAME.set_index("b"), {"a": [1.0, 2.0]}),
        (FRAME.rename_axis("a"), PLAIN),
        (FRAME.set_index(["a", "b"], drop=False).rename_axis(["i", "j"]), PLAIN),
        (FRAME.set_index(pd.to_datetime(["2020-01-01", "2020-01-02"])), PLAIN),
        (FRAME[FRAME.a > 1], {"a": [2.0], "b": [None]}),
        (pd.DataFrame([[1, 2]]), {"0": [1], "1": [2]}),
        (pd.DataFrame([[1, 2]], columns=["a", np.nan]), {"a": [1], "nan": [2]}),
        (pd.DataFrame({"__index_level_0__": [1]}, index=[7]), {"__index_level_0__": [1]}),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
         {"('a', 'b')": [1], "('a', 'c')": [2]}),
        (pl.DataFrame(PLAIN), PLAIN),
        (pl.DataFrame({"a": pl.Series([1, 2], dtype=pl.Int128), "b": ["x", None]}), {"a": [1, 2], "b": ["x", None]}),
        (pa.table(PLAIN), PLAIN),
        (pa.table(PLAIN).to_reader(), PLAIN),
        (pa.RecordBatch.from_pydict(PLAIN), PLAIN),
        (PLAIN, PLAIN),
        ([{"a": 1, "b": "x"}, {"b": "y", "c": 2.5}, {}],
         {"a": [1, None, None], "b": ["x", "y", None], "c": [None, 2.5, None]}),
        (({"a": 1}, {"a": 2}), {"a": [1, 2]}),
        ({"a": 1, "b": "x", "c": None, "d": DATE, "e": True, "f": 2**70},
         {"a": [1], "b": ["x"], "c": [None], "d": [DATE], "e": [True], "f": [float(2**70)]}),
        ({"g": np.array(1.5), "h": 3.5, "i": float("nan")}, {"g": [1.5], "h": [3.5], "i": [None]}),
        ({"z": 1.0, "a": "x", "m": 2.0}, {"z": [1.0], "a": ["x"], "m": [2.0]}),
        ({1: [1], None: [2]}, {"1": [1], "None": [2]}),
        ([[1, "x"], [2.5, None]], {"x0": [1.0, 2.5], "x1": ["x", None]}),
        ([Pair(1, "x")], {"x0": [1], "x1": ["x"]}),
        ([np.array([1, 2]), np.array([3, 4])], {"x0": [1, 3], "x1": [2, 4]}),
        (np.array([[1.0, np.nan], [3.0, 4.0]]), {"x0": [1.0, 3.0], "x1": [None, 4.0]}),
        (np.array([[1, 2], [3, 4]], ">i2"), {"x0": [1, 3], "x1": [2, 4]}),
        (np.arange(12).reshape(4, 3)[::2, ::-2], {"x0": [2, 8], "x1": [0, 6]}),
        (np.asfortranarray([[1, 2], [3, 4]]), {"x0": [1, 3], "x1": [2, 4]}),
        (np.ma.array([[1.0, 2.0]], mask=[[False, True]]), {"x0": [1.0], "x1": [None]}),
        (np.array([[1, "x"], [2.5, None]], object), {"x0": [1.0, 2.5], "x1": ["x", None]}),
        (np.matrix([[1, 2], [3, 4]]), {"x0": [1, 3], "x1": [2, 4]}),
        (np.array([(1, "x")], [("a", "i4"), ("b", "U5")]), {"a": [1], "b": ["x"]}),
        (np.rec.array([(1, "x")], dtype=[("a", "i4"), ("b", "U5")]), {"a": [1], "b": ["x"]}),
        (pa.table({"a": pa.array(["x"], pa.string_view())}), {"a": ["x"]}),
    ],
)  # fmt: skip
def test_tables_of_every_kind_are_taken(data: Any, expected: dict[str, list[Any]]) -> None:
    found = to_arrow_table(data)
    assert found.to_pydict() == expected
    assert found.column_names == list(expected)


def test_columns_that_no_net_can_use_are_refused_only_when_they_are_used() -> None:
    data = {"a": [1.0], "lists": [[1, 2]], "bytes": [b"x"], "structs": [{"x\n": 1}], "ids": [np.bytes_(b"x")]}
    for table in (data, pd.DataFrame(data), pl.DataFrame(data), pa.table(data)):
        source = InMemory(target="y").of(table)
        assert next(source.chunks({"a": "number"})).columns["a"].tolist() == [1.0]
        for name in ("lists", "bytes", "structs", "ids"):
            with pytest.raises(DataError, match=f"the table: column '{name}' is .*; expected numbers, texts or dates"):
                next(source.chunks({name: "category"}))


# What is refused


class Lying:
    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return 3


class Failing:
    columns = ("a",)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        raise RuntimeError("no rows\nat all")

    def __getitem__(self, key: object) -> object:
        raise OSError("gone")


class NoArray:
    def __array__(self, dtype: object = None, copy: object = None) -> object:
        raise RuntimeError("on another device")


class Interchange:
    def __dataframe__(self) -> object:
        return self


Colour = enum.Enum("Colour", "RED")
A_TABLE = r"the table should be a pandas, polars or pyarrow table, .*; found "


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": [1, 1j]}, "the table: column 'a', row 2 holds a complex; expected numbers, texts or dates"),
        ({"a": np.array([1j])}, "the table: column 'a' holds complex numbers; expected numbers, texts or dates"),
        ({"a": [1, b"y"]}, "the table: column 'a', row 2 holds a bytes; expected numbers, texts or dates"),
        ({"a": ["x", 1, [1]]}, "the table: column 'a', row 3 holds a list; expected numbers, texts or dates"),
        (pd.DataFrame({"a": [1, {"x": 1}]}), "the table: column 'a', row 2 holds a dict; expected"),
        ({"a": [1, Colour.RED]}, "the table: column 'a', row 2 holds a Colour; expected"),
        ({"a": [object()]}, "the table: column 'a', row 1 holds an object; expected"),
        ({"a": ["x", "\ud800"]}, r"the table: column 'a', row 2 holds '.ud800', which is not a valid text"),
        ({"\ud800": [1]}, "the table: the name of a column is not a valid text"),
        ({"a": {1, 2}}, "the table: column 'a' is a set, which has no order; expected a column, such as a list"),
        ({"a": (i for i in range(3))}, "the table: column 'a', row 1 holds a generator"),
        ({"a": np.ones((2, 2))}, r"the table: column 'a' should have the shape \(rows,\), found \(2, 2\)"),
        ({"a": [1, 2], "b": [1]}, "the table: column 'b' has 1 row, but column 'a' has 2"),
        ({"a": [1, 2], "b": 3}, "the table: 'b' is one value, but 'a' is a column; give all as columns"),
        ({"a": "x", "b": [1]}, "the table: 'a' is one value, but 'b' is a column; give all as columns"),
        ({1: [1], "1": [2]}, "the table: the columns 1 and 2 are both named '1'; rename one of them"),
        ({"": [1]}, "the table: column 1 has no name; name it, or leave this column out"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the table: the columns 1 and 2 are both named 'a'"),
        (pd.DataFrame([[1, "x"], ["y", 2]], columns=["a", "a"]), "the table: the columns 1 and 2 are both named 'a'"),
        (pa.table([[1], [2]], names=["a", "a"]), "the table: the columns 1 and 2 are both named 'a'"),
        ([{"a": 1}, 3], "the table, row 2: expected a dict, like the first row, found an int"),
        ([[1, 2], [3]], "the table, row 2: 1 value where the first row has 2"),
        ([[1, 2], "ab"], "the table, row 2: expected a list or a dict, found a str"),
        ([1, 2], "the table, row 1: expected a list or a dict, found an int"),
        ([], "the table has no rows"),
        (np.arange(3), r"the table should have the shape \(rows, n_features\), found \(3,\)"),
        (np.ones((2, 2, 2)), r"the table should have the shape \(rows, n_features\), found \(2, 2, 2\)"),
        (np.array(3), r"the table should have the shape \(rows, n_features\), found \(\)"),
        (np.array([[1j]]), "the table: column 'x0' holds complex numbers"),
        (np.zeros(2, [("a", "i4", (2,))]), r"the table: column 'a' should have the shape \(rows,\), found \(2, 2\)"),
        (pd.Series([1]), A_TABLE + r"a Series; series.to_dict\(\) is one row, series.to_frame\(\) one column"),
        (pl.Series([1]), A_TABLE + r"a Series; call to_frame\(\) first"),
        (pa.chunked_array([[1]]), A_TABLE + "a ChunkedArray"),
        (pl.LazyFrame({"a": [1]}), A_TABLE + r"a LazyFrame; call collect\(\) first"),
        (scipy.sparse.csr_array([[1, 2]]), A_TABLE + r"a csr_array; call toarray\(\) first"),
        (3, A_TABLE + "an int"),
        (None, A_TABLE + "None"),
        ("rows.csv", A_TABLE + "a str; if that is a file, read it first"),
        (b"rows", A_TABLE + "a bytes"),
        ({1, 2}, A_TABLE + "a set"),
        ((row for row in [{"a": 1}]), A_TABLE + "a generator"),
        (pd.DataFrame, A_TABLE + "the class DataFrame"),
        (Interchange(), A_TABLE + "an Interchange"),
        (Lying(), "the table, a Lying, cannot be read: "),
        (Failing(), "the table, a Failing, cannot be read: no rows$"),
        (NoArray(), "the table, a NoArray, cannot be read: on another device"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_sentence(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        to_arrow_table(data)
    assert "\n" not in str(raised.value)


def test_a_stream_that_breaks_off_is_refused_in_one_sentence() -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"a": [1]})
        raise OSError("the line is dead")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"a": pa.int64()}), batches())
    with pytest.raises(
        DataError, match=r"the table, a RecordBatchReader, cannot be read: .*the line is dead"
    ) as raised:
        to_arrow_table(reader)
    assert "\n" not in str(raised.value)


def test_tables_without_columns_or_rows_are_refused_when_they_are_read() -> None:
    for data in ({}, pl.DataFrame(), pd.DataFrame({"a": []}), {"a": []}, pd.DataFrame(index=[1, 2]), [{}], [{}, {}]):
        source = InMemory(target="y").of(data)
        with pytest.raises(DataError, match="the table has no rows"):
            next(source.chunks({"a": "number"}))
        with pytest.raises(DataError, match="the table has no rows"):
            source.read()


def test_ten_thousand_columns_and_hostile_names_are_taken() -> None:
    wide = {f"c{i}": [1.0] for i in range(10_000)}
    assert to_arrow_table(wide).num_columns == to_arrow_table(pd.DataFrame(wide)).num_columns == 10_000
    names = ["a\nb", "a\0b", "'", '"', "{}", "%s", "../x", "é" * 300, "__class__", "<script>", "\u202e", "=1+1", "null"]
    for data in (
        {name: [1] for name in names},
        pd.DataFrame({name: [1] for name in names}),
        dict.fromkeys(names, 1),
    ):
        assert to_arrow_table(data).column_names == names


cells: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.decimals(), st.text(max_size=3),
    st.text(st.characters(categories=["Cs"]), max_size=2), st.binary(max_size=3), st.dates(), st.datetimes(),
    st.times(), st.timedeltas(), st.datetimes(timezones=st.timezones()), st.uuids(), st.fractions(),
    st.sampled_from([pd.NA, pd.NaT, np.float16(1), np.int8(3), np.uint64(2**64 - 1), np.datetime64("NaT"), np.str_("x"),
                     np.bool_(True), np.timedelta64(3, "s"), np.array([1]), np.array(2), object(), int, Colour.RED]),
    st.lists(st.integers(), max_size=2), st.sets(st.integers(), max_size=2),
    st.dictionaries(st.text(), st.integers(), max_size=2),
)  # fmt: skip
columns = st.lists(cells, max_size=5) | st.tuples(cells, cells) | cells
anything = st.one_of(
    columns,
    st.dictionaries(st.text(max_size=2) | st.integers() | st.none(), columns, max_size=4),
    st.lists(st.dictionaries(st.text(max_size=2), cells, max_size=3) | cells, max_size=4),
    st.lists(st.lists(cells, max_size=3) | cells, max_size=3),
)


def taken_or_refused(data: Any) -> None:
    """Read the table in every way that the tool reads one; whatever is raised must be one sentence of its own."""
    source = None
    with one_sentence():
        source = InMemory(target="y").of(data)
    if source is None or not source._content.num_rows:
        return
    with one_sentence():
        source.read()
    for kind in ("number", "category", "date"):
        for name in source.names():
            for faults in (False, True):
                with one_sentence():
                    [*source.chunks({name: kind}, source.names(), faults)]


@contextlib.contextmanager
def one_sentence() -> Iterator[None]:
    with contextlib.suppress(DataError):
        try:
            yield
        except DataError as error:
            if "\n" in str(error):
                raise AssertionError(str(error)) from error
            raise


@settings(max_examples=150)
@given(data=anything)
def test_whatever_is_given_is_taken_or_refused_in_one_sentence(data: Any) -> None:
    taken_or_refused(data)


@pytest.mark.slow
@settings(max_examples=20_000)
@given(data=anything)
def test_much_more_is_taken_or_refused_in_one_sentence(data: Any) -> None:
    taken_or_refused(data)
