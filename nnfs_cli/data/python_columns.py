"""Convert the columns that Python users have, such as lists and arrays, into arrays of Arrow."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.arrow import zoned_type
from nnfs_cli.data.dates import ZONED, zoned
from nnfs_cli.data.table import text_of
from nnfs_cli.system.wording import shown, type_of

EXPECTED = "expected numbers, texts or dates"
CONVERSION_ERRORS = (ValueError, TypeError, ArithmeticError, NotImplementedError)  # pyarrow's own are among them
_TRUTH, _NUMBER = (bool, np.bool_), (int, float, Decimal, np.integer, np.floating)
_INSTANT, _DURATION = (date, np.datetime64), (timedelta, np.timedelta64)
_UNITS = {"D", "s", "ms", "us", "ns"}  # of the dates that Arrow knows


class ColumnError(Exception):
    """A column cannot be used; the message follows the name of the column."""


def to_arrow_column(values: Any) -> Any:
    """Return an array of Arrow with the cells of a list, an array, or a column of pandas, polars or pyarrow.

    None, NaN, NaT and `pandas.NA` are gaps. Numbers of several types become float64, and dates with and without a time
    of day become instants. Cells of several kinds, such as numbers and texts, become texts as a CSV file would hold
    them. Raises `ColumnError` for cells that are none of these.
    """
    import pyarrow as pa

    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, Set):
        raise ColumnError(f" is {type_of(values)}, which has no order; expected a column, such as a list")
    if not isinstance(values, np.ndarray) and isinstance(getattr(values, "dtype", None), np.dtype):
        values = np.asarray(values)  # a column of pandas; pyarrow takes the array four times as fast
    if isinstance(values, np.ndarray):
        values = _plain_array(values)
    try:
        column = pa.array(values, from_pandas=True)
    except CONVERSION_ERRORS:
        if hasattr(values, "sparse"):  # a column of pandas that stores only some cells
            return to_arrow_column(np.asarray(values))
        return _from_cells(values)
    if pa.types.is_temporal(column.type) and _of_objects(values):  # pyarrow would drop times of day and time zones
        zones = {value.tzinfo for value in values if isinstance(value, datetime) and not is_gap(value)}
        if len(zones) > 1 or (zones and pa.types.is_date(column.type)):
            return _from_cells(values)
    return column


def _of_objects(values: Any) -> bool:
    return isinstance(values, Sequence) or (isinstance(values, np.ndarray) and values.dtype.kind == "O")


def _plain_array(values: Array) -> Array:
    """Return an array (rows,) of a type that Arrow knows."""
    kind = values.dtype
    if values.ndim != 1:
        raise ColumnError(f" should have the shape (rows,), found {values.shape}")
    if kind.kind == "c":
        raise ColumnError(f" holds complex numbers; {EXPECTED}")
    if kind.kind == "f" and kind.itemsize > 8:
        return values.astype(np.float64)
    if kind.kind in "mM" and np.datetime_data(kind)[0] not in _UNITS:
        finer = np.datetime_data(kind)[0] in ("ps", "fs", "as")
        return values.astype(f"{kind.kind}8[{'ns' if finer else 's'}]")
    return values if kind.isnative else values.astype(kind.newbyteorder("="))


def _from_cells(values: Any) -> Any:
    """Return a column of cells that pyarrow does not take together."""
    import pyarrow as pa

    try:
        cells = [None if is_gap(value) else value for value in values]
    except TypeError:
        raise ColumnError(f" is {type_of(values)}; expected a column, such as a list") from None
    found = [value for value in cells if value is not None]
    if all(isinstance(value, _NUMBER) and not isinstance(value, _TRUTH) for value in found):
        return pa.array([None if value is None else _float(value) for value in cells], pa.float64())
    if all(isinstance(value, _INSTANT) for value in found):
        utc, local = (np.array([of(value) for value in cells], "datetime64[us]") for of in (_instant, _local))
        return _zoned(utc, local)
    if all(isinstance(value, _DURATION) for value in found):
        return pa.array(np.array(cells, "timedelta64[us]"))
    texts = [None if value is None else _text(value, row) for row, value in enumerate(cells, 1)]
    return pa.array(texts, pa.string())


def is_gap(value: Any) -> bool:
    """Return whether a cell is empty: None, NaN, NaT or `pandas.NA`."""
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):  # pandas.NA is neither equal to itself nor different
        return type(value).__name__ == "NAType"


def _float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return np.inf if number > 0 else -np.inf


def _instant(value: Any) -> np.datetime64:
    """Return an instant in UTC; a date or a time without a zone is taken as UTC, as in a file."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64("NaT" if value is None else value, "us")


def _local(value: Any) -> np.datetime64:
    """Return the local time of an instant."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)
    return np.datetime64("NaT" if value is None else value, "us")


def _zoned(utc: Array, local: Array) -> Any:
    """Return a column of instants with local times, of a type with local times only if they differ."""
    import pyarrow as pa

    if zoned(utc, local).dtype != ZONED:
        return pa.array(utc)
    return pa.StructArray.from_arrays(
        [pa.array(utc), pa.array(local)], fields=list(zoned_type()), mask=pa.array(np.isnat(utc))
    )


def _text(value: Any, row: int) -> str:
    """Return a cell as the text that a CSV file would hold."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ColumnError(f", row {row} holds {shown(value)}, which is not a valid text") from None
        return value
    if isinstance(value, datetime | np.datetime64):
        return text_of(_instant(value))
    if isinstance(value, (*_TRUTH, *_NUMBER, date, time)):
        return text_of(value)
    raise ColumnError(f", row {row} holds {type_of(value)}; {EXPECTED}")
