"""A single row given in Python, as a dict of plain cells."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import numpy as np

NUMBERS = {float, int, bool, type(None), *(np.dtype(code).type for code in "?bBhHiIlLqQefd")}
CELLS = NUMBERS | {str, date, datetime}
FEW = 12  # columns of pandas whose cells are taken faster one by one than as a row, if their types differ


def plain_row(data: Any, only_numbers: bool = False) -> Mapping[str, Any] | None:
    """Return the cells by column of a table that `to_arrow_table` takes, if it is one row of plain cells; else None.

    Plain cells are numbers, booleans, texts, dates and None. Other tables are not wrong: they are read in another way.
    If `only_numbers` are expected, a row of pandas with numbers is read faster, and one with texts slower.

    >>> plain_row({"size": 3.5, "city": "Rome"}), plain_row([[1.0, 2.0]]), plain_row({"size": [1.0, 2.0]})
    ({'size': 3.5, 'city': 'Rome'}, {'x0': 1.0, 'x1': 2.0}, None)
    """
    if type(data) is list and len(data) == 1:
        data = dict(zip(_names(len(data[0])), data[0], strict=True)) if type(data[0]) in (list, tuple) else data[0]
        return _plain(data) if isinstance(data, dict) else None
    if isinstance(data, dict):
        return _plain(_first_cells(data) if list in map(type, data.values()) else data)
    if type(data) is np.ndarray:
        return _of_array(data, _names(data.shape[1])) if data.ndim == 2 else None
    return _of_library(data, only_numbers)


def _of_library(data: Any, only_numbers: bool) -> Mapping[str, Any] | None:
    """Return the cells of a table of pandas, polars or pyarrow, if it is one row of plain cells."""
    pandas, polars, arrow = map(sys.modules.get, ("pandas", "polars", "pyarrow"))
    if pandas and type(data) is pandas.DataFrame:
        return _of_pandas(data, only_numbers) if len(data) == 1 else None
    if polars and type(data) is polars.DataFrame:
        return _plain(data.row(0, named=True)) if data.height == 1 else None
    if not (arrow and isinstance(data, arrow.Table | arrow.RecordBatch) and data.num_rows == 1):
        return None
    if any(isinstance(kind, arrow.BaseExtensionType) for kind in data.schema.types):
        return None
    try:
        row = data.to_pylist()[0]
    except (ValueError, UnicodeDecodeError):  # nanoseconds, or bytes that are no text
        return None
    return _plain(row) if len(row) == data.num_columns else None


@lru_cache
def _names(n: int) -> tuple[str, ...]:
    """Return the names of the columns of an array."""
    return tuple(f"x{j}" for j in range(n))


def _of_array(array: Any, names: Sequence[Any]) -> Mapping[str, Any] | None:
    """Return the cells of an array (1, columns) by these names, if they are plain and all names differ."""
    if len(array) != 1 or array.dtype.kind not in "fiuO" or not array.dtype.isnative or array.itemsize > 8:
        return None
    row = dict(zip(names, array[0].tolist(), strict=True))
    return (_plain(row) if array.dtype.kind == "O" else row) if len(row) == len(names) else None


def _of_pandas(data: Any, only_numbers: bool) -> Mapping[str, Any] | None:
    """Return the cells of a frame of one row, if they are plain and all names differ."""
    names = data.columns.tolist()
    if len(names) > FEW and only_numbers:
        return _of_array(data.to_numpy(), names)
    if len(names) > FEW:
        cells = data.iloc[0].tolist()
    else:
        cell = data.iat
        cells = [cell[0, j] for j in range(len(names))]
    row = dict(zip(names, cells, strict=True))
    return _plain(row) if len(row) == len(names) else None


def _first_cells(columns: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the cells of columns that are lists of one cell."""
    cells = {name: column[0] for name, column in columns.items() if type(column) is list and len(column) == 1}
    return cells if len(cells) == len(columns) else None


def _plain(row: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the row if all its cells are plain."""
    kinds = set(map(type, row.values())) if row else {list}
    return row if kinds <= CELLS or all(kind in CELLS or issubclass(kind, datetime) for kind in kinds) else None
