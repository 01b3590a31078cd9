"""Convert the tables that Python users have into tables of Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.data.table import text_of
from nnfs_cli.errors import DataError

KINDS = (
    "a pandas, polars or pyarrow table, a NumPy array (rows, n_features), a dict of columns, or a list of rows as dicts"
)


def to_arrow_table(data: Any, name: str = "the table") -> Any:
    """Return a pyarrow Table with the rows of a table of any library.

    `data` is any object with the Arrow C stream interface (pandas, polars, pyarrow, DuckDB, ...), an array (rows,
    n_features), whose columns are called x0, x1, ..., a dict of columns, a list of rows as dicts, or one such row. A
    row that lacks a key has a gap there. Raises `DataError`, which calls the table `name`, for anything else.
    """
    import pyarrow as pa

    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if hasattr(data, "__arrow_c_stream__"):
        return _from_stream(data, name)
    if isinstance(data, Mapping):
        return _from_columns(data if _has_columns(data) else {key: [value] for key, value in data.items()}, name)
    if isinstance(data, Sequence) and len(data) and all(isinstance(row, Mapping) for row in data):
        return _from_rows(data, name)
    if isinstance(data, np.ndarray) and data.dtype.names:
        return _from_columns({field: data[field] for field in data.dtype.names}, name)
    if isinstance(data, np.ndarray | Sequence) or hasattr(data, "__array__"):
        return _from_array(data, name)
    raise DataError(f"{name} should be {KINDS}; found {type(data).__name__}")


def _from_stream(data: Any, name: str) -> Any:
    import pyarrow as pa

    try:
        table = pa.table(data)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        if not hasattr(data, "columns"):
            raise DataError(f"{name} cannot be read: {error}") from None
        return _from_columns({column: list(data[column]) for column in data.columns}, name)  # one of mixed types
    index = [level for level in (table.schema.pandas_metadata or {}).get("index_columns", []) if isinstance(level, str)]
    return table.drop_columns(index) if index else table


def _has_columns(data: Mapping[Any, Any]) -> bool:
    """Return whether the values of a dict are columns, and not the cells of one row."""
    scalar = (str, bytes, Mapping)
    return any(
        not isinstance(value, scalar) and (np.ndim(value) or hasattr(value, "__len__")) for value in data.values()
    )


def _from_rows(rows: Sequence[Mapping[Any, Any]], name: str) -> Any:
    keys = dict.fromkeys(key for row in rows for key in row)
    return _from_columns({key: [row.get(key) for row in rows] for key in keys}, name)


def _from_array(data: Any, name: str) -> Any:
    array = np.asarray(data)
    if array.ndim != 2:
        raise DataError(f"{name} should have the shape (rows, n_features), found {array.shape}")
    return _from_columns({f"x{j}": array[:, j] for j in range(array.shape[1])}, name)


def _from_columns(columns: Mapping[Any, Any], name: str) -> Any:
    import pyarrow as pa

    arrays = {str(key): _column(values, f"{name}: column '{key}'") for key, values in columns.items()}
    lengths = {key: len(array) for key, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{name} has columns of different lengths: {lengths}")
    return pa.table(arrays)


def _column(values: Any, place: str) -> Any:
    """Return a column of Arrow. Values of different types become texts, as in a file."""
    import pyarrow as pa

    if isinstance(values, np.ndarray) and values.dtype.kind == "c":
        raise DataError(f"{place} holds complex numbers; expected numbers, texts or dates")
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise DataError(f"{place} should have the shape (rows,), found {values.shape}")
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([_text(value, place) for value in values], pa.string())


def _text(value: Any, place: str) -> str | None:
    if isinstance(value, Iterable) and not isinstance(value, str):
        raise DataError(f"{place} holds a {type(value).__name__}; expected numbers, texts or dates")
    return text_of(value) or None
