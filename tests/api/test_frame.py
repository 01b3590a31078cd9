"""A frame is what pandas, polars and pyarrow take, without copies of its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli import DataError, Frame
from nnfs_cli.data.texts import Texts
from tests.display.markup import parsed

COLUMNS: dict[str, Any] = {
    "epoch": np.array([1, 2, 3]),
    "loss": np.array([0.5, np.nan, -0.0]),
    "small": np.array([1, 2, 3], np.float32),
    "yes": np.array([True, False, True]),
    "when": np.array(["2024-01-02", "NaT", "2024-03-04T05:06"], "datetime64[us]"),
    "city": Texts.of(["Paris", None, "Łódź"]),
}


def test_a_column_is_an_array_and_a_text_column_holds_str_and_none() -> None:
    frame = Frame(COLUMNS)
    assert frame.columns == tuple(frame) == tuple(COLUMNS)
    assert len(frame) == 3
    assert frame["city"].tolist() == ["Paris", None, "Łódź"]
    assert [frame[name].dtype.kind for name in COLUMNS] == list("iffbMO")
    assert dict(frame).keys() == COLUMNS.keys()
    with pytest.raises(KeyError):
        frame["town"]


def test_pandas_polars_and_pyarrow_read_the_same_cells() -> None:
    frame = Frame(COLUMNS)
    table, polars, pandas = pa.table(frame), pl.DataFrame(frame), frame.to_pandas()
    assert table.schema == frame.to_arrow().schema
    assert polars["city"].to_list() == table["city"].to_pylist() == ["Paris", None, "Łódź"]
    assert polars["when"].to_list() == table["when"].to_pylist()
    assert polars["when"].null_count() == 1
    assert polars["yes"].to_list() == pandas["yes"].tolist() == [True, False, True]
    assert pandas["when"].isna().tolist() == [False, True, False]
    assert frame.to_polars().equals(polars)
    for name in ("epoch", "loss", "small"):
        np.testing.assert_array_equal(pandas[name], frame[name])
        np.testing.assert_array_equal(polars[name].to_numpy(), frame[name])
        assert pandas[name].dtype == frame[name].dtype
    if hasattr(pd.DataFrame, "from_arrow"):
        pd.testing.assert_frame_equal(pd.DataFrame.from_arrow(frame), pandas)


def test_columns_of_numbers_are_not_copied() -> None:
    wide = np.arange(12.0).reshape(6, 2)  # the probabilities of a classifier are the columns of a matrix
    frame = Frame({"n": np.arange(6), "p": wide[:, 0], "when": np.arange(6).astype("datetime64[us]")})
    polars = pl.DataFrame(frame)
    for name in frame:
        address = frame[name].__array_interface__["data"][0]
        assert frame.to_arrow()[name].chunk(0).buffers()[1].address == address
        assert polars[name].to_numpy(allow_copy=False).__array_interface__["data"][0] == address
        assert frame.to_pandas(copy=False)[name].to_numpy().__array_interface__["data"][0] == address


def test_pandas_can_change_its_copy() -> None:
    frame = Frame({"n": np.arange(6)})
    pandas = frame.to_pandas()
    pandas.loc[0, "n"] = 5
    assert (pandas["n"][0], frame["n"][0]) == (5, 0)


def test_columns_of_arrow_keep_their_types_and_gaps() -> None:
    kept = pa.chunked_array([pa.array([1, None]), pa.array([3])])
    frame = Frame(
        {"id": kept, "size": pa.array([1, 2, 3], pa.uint8()), "set": pa.array(["a", None, "b"]).dictionary_encode()}
    )
    np.testing.assert_array_equal(frame["id"], [1.0, np.nan, 3.0])
    assert frame.to_polars()["id"].to_list() == [1, None, 3]
    assert frame.to_arrow()["size"].type == pa.uint8()
    assert frame["set"].tolist() == ["a", None, "b"]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="same length"):
        Frame({"a": [1, 2], "b": [1]})


def test_a_row_that_lacks_a_key_has_nan() -> None:
    frame = Frame.of_rows([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.4, "val_loss": 0.6}])
    np.testing.assert_array_equal(frame["val_loss"], [np.nan, 0.6])
    assert frame["epoch"].dtype == np.int64


names = st.text(st.characters(codec="utf-8"), max_size=12)


@given(st.integers(0, 25), st.lists(names, max_size=30, unique=True), names)
def test_a_representation_fits_80_columns_and_is_valid_html(rows: int, columns: list[str], text: str) -> None:
    frame = Frame({name: [text] * rows if i % 2 else np.arange(rows) / 3 for i, name in enumerate(columns)})
    shown = repr(frame)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert shown.count("\n") <= 13
    parsed(frame._repr_html_())


@pytest.mark.parametrize("convert", [pd.DataFrame, np.asarray, np.array])
def test_a_frame_is_not_taken_for_a_list_of_its_names(convert: Any) -> None:
    with pytest.raises(TypeError, match=r"frame\.to_pandas\(\) is a DataFrame"):
        convert(Frame({"epoch": [1, 2]}))


@pytest.mark.parametrize("columns", [[1, 2], None, "epoch"])
def test_a_frame_needs_columns_by_name(columns: Any) -> None:
    with pytest.raises(DataError, match="a frame needs a dict of columns, found"):
        Frame(columns)


def test_a_first_column_of_numbers_is_aligned_as_the_others() -> None:
    assert "text-align:left" not in Frame({"epoch": [1, 2], "train_loss": [0.5, 0.4]})._repr_html_()
    assert "text-align:left" in Frame({"prediction": ["yes", "no"], "score": [0.5, 0.4]})._repr_html_()
