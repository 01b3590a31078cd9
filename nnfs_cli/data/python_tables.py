"""Convert the tables that Python users have into tables of Arrow."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.file_source import check_names
from nnfs_cli.data.python_columns import CONVERSION_ERRORS, ColumnError, to_arrow_column
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import counted, named, type_of

ACCEPTED = (
    "a pandas, polars or pyarrow table, a NumPy array (rows, n_features), a dict of columns, a list of rows as dicts,"
    " or a dict that is one row"
)

_LIBRARY = "library"  # the key in the metadata of a table for the library that it comes from
ROWS_IN_CACHE = 8_192  # rows that are copied at a time, so that they stay in the cache of the processor
_CELLS = {float, int, str, bool, type(None)}  # the usual types of cells


def to_arrow_table(data: Any, name: str = "the table") -> Any:
    """Return a pyarrow Table with the rows of a table of any library.

    `data` is one of these:

    - a pandas DataFrame, whose index is left out, or any object with the Arrow C stream interface (polars, pyarrow,
      DuckDB, ...);
    - an array (rows, n_features) or a list of rows as lists, whose columns are called x0, x1, ..., or a structured
      array (rows,);
    - a dict of columns, a list of rows as dicts, or one such row. A row that lacks a key has a gap there.

    None, NaN, NaT and `pandas.NA` are gaps; an empty text is a text. A column that mixes numbers and texts becomes
    texts, as in a CSV file. A dictionary of Arrow, such as a `category` column, holds categories, even if these are
    numbers. Columns of numbers are not copied where their memory has the layout of Arrow. Columns of
    lists, bytes or structs are passed on as they are: they are refused when they are used.

    Predictions are those for the Parquet file with the same rows, and for a CSV file too, except where CSV cannot say
    what a table says: an empty text is a text in a table and a gap in a CSV file; a text that looks like a number is
    not a number; a float32 is the number that it stores, not the one that its shortest decimal text stands for; a
    duration is its number of seconds; a number or boolean in a column of categories is the text 1, 0.5 or true,
    where a CSV file may say 1.0 or True. The keys `null` and `decimal` of a CSV data set do not apply to tables.

    Raises `DataError`, which calls the table `name`, for anything else, and for columns without a name or with equal
    names.
    """
    table = _converted(data, name)
    check_names(table.schema.names, name)
    return _without_views(table)


def library_of(table: Any) -> str:
    """Return the library that the rows of a table of Arrow come from, if that is pandas, else an empty string."""
    metadata = table.schema.metadata or {}
    return metadata.get(_LIBRARY.encode(), b"").decode() or ("pandas" if b"pandas" in metadata else "")


def _without_views(table: Any) -> Any:
    """Return the table with texts and categories of the types that every function of pyarrow takes."""
    import pyarrow as pa
    from pyarrow import compute

    encoded = {pa.lib.Type_RUN_END_ENCODED, pa.lib.Type_STRING_VIEW, pa.lib.Type_DICTIONARY}
    for i, kind in enumerate(table.schema.types):
        column = None
        if kind.id not in encoded:  # most columns; the questions below take longer
            continue
        if pa.types.is_run_end_encoded(kind):
            column = compute.run_end_decode(table.column(i))
        elif pa.types.is_string_view(kind):
            column = table.column(i).cast(pa.string())
        elif pa.types.is_dictionary(kind) and pa.types.is_string_view(kind.value_type):
            column = table.column(i).cast(pa.dictionary(pa.int32(), pa.string()))
        if column is not None:
            table = table.set_column(i, table.schema.names[i], column)
    return table


def _converted(data: Any, name: str) -> Any:
    import pyarrow as pa

    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if (pandas := sys.modules.get("pandas")) and isinstance(data, pandas.DataFrame):
        return _from_columns(data.items(), name).replace_schema_metadata({_LIBRARY: "pandas"})
    if isinstance(data, type):
        raise _unusable(data, name)
    if isinstance(data, Mapping):
        return _from_dict(data, name)
    if isinstance(data, np.ndarray) and data.dtype.names:
        return _from_columns(((field, data[field]) for field in data.dtype.names), name)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes | bytearray | memoryview | range):
        return _from_rows(data, name)
    if isinstance(data, np.ndarray) or (hasattr(data, "__array__") and not hasattr(data, "__arrow_c_stream__")):
        return _from_array(data, name)
    if hasattr(data, "__arrow_c_stream__"):
        return _from_stream(data, name)
    raise _unusable(data, name)


def _unusable(data: Any, name: str) -> DataError:
    found = f"the class {data.__name__}" if isinstance(data, type) else type_of(data)
    return DataError(f"{name} should be {ACCEPTED}; found {found}{'' if isinstance(data, type) else _hint(data)}")


def _hint(data: Any) -> str:
    """Return a clause about how to make a table of something, or an empty string."""
    if isinstance(data, str | os.PathLike):
        return "; if that is a file, read it first"
    methods = [name for name in ("collect", "toarray", "to_frame") if callable(getattr(data, name, None))]
    if methods == ["to_frame"] and callable(getattr(data, "to_dict", None)):
        return "; series.to_dict() is one row, series.to_frame() one column"
    return f"; call {methods[0]}() first" if methods else ""


def _from_stream(data: Any, name: str) -> Any:
    import pyarrow as pa

    if callable(getattr(data, "to_frame", None)) or isinstance(data, pa.ChunkedArray):
        raise _unusable(data, name)  # a single column
    try:
        return pa.table(data)
    except Exception as error:  # the code of any library
        try:
            columns = [(column, data[column]) for column in data.columns]  # one may be of a type that Arrow lacks
        except Exception:
            raise _unreadable(data, name, error) from error
    return _from_columns(columns, name)


def _unreadable(data: Any, name: str, error: Exception) -> DataError:
    why = str(error).splitlines()[:1] or [type(error).__name__]
    return DataError(f"{name}, {type_of(data)}, cannot be read: {why[0]}")


def _from_dict(data: Mapping[Any, Any], name: str) -> Any:
    """Return the table of a dict of columns, or of one row."""
    single = [key for key, value in data.items() if not _is_column(value)]
    if len(single) == len(data):
        return _from_row(data, name)
    if single:
        column = named(str(next(key for key in data if key not in single)))
        raise DataError(f"{name}: {named(str(single[0]))} is one value, but {column} is a column; give all as columns")
    return _from_columns(data.items(), name)


def _is_column(value: Any) -> bool:
    """Return whether a value of a dict is a column, and not the cell of one row."""
    return type(value) not in _CELLS and (
        not isinstance(value, str | bytes | bytearray | Mapping)
        and hasattr(value, "__len__")
        and getattr(value, "ndim", 1) != 0
    )


def _from_row(row: Mapping[Any, Any], name: str) -> Any:
    """Return the table of one row. Cells of the same type are converted at once, which takes a quarter of the time."""
    import pyarrow as pa

    keys: dict[Any, list[Any]] = {}
    row = {key: value[()] if isinstance(value, np.ndarray) else value for key, value in row.items()}
    for key, value in row.items():
        kind = type(value)
        keys.setdefault(kind if kind in _CELLS else (kind, getattr(value, "tzinfo", None)), []).append(key)
    columns: dict[Any, Any] = {}
    for alike in keys.values():
        try:
            cells = pa.array([row[key] for key in alike], from_pandas=True)
        except CONVERSION_ERRORS:
            columns |= {key: [row[key]] for key in alike}
        else:
            columns |= {key: cells.slice(i, 1) for i, key in enumerate(alike)}
    return _from_columns(((key, columns[key]) for key in row), name)


def _from_rows(rows: Sequence[Any], name: str) -> Any:
    """Return the table of a list of rows, which are dicts or lists."""
    if not rows:
        raise DataError(f"{name} has no rows")
    if isinstance(rows[0], Mapping):
        if wrong := [row for row, cells in enumerate(rows, 1) if not isinstance(cells, Mapping)]:
            found = type_of(rows[wrong[0] - 1])
            raise DataError(f"{name}, row {wrong[0]}: expected a dict, like the first row, found {found}")
        if len(rows) == 1:
            return _from_row(rows[0], name)
        keys = dict.fromkeys(key for row in rows for key in row)
        return _from_columns(((key, [row.get(key) for row in rows]) for key in keys), name)
    for row, cells in enumerate(rows, 1):
        if not _is_column(cells):
            raise DataError(f"{name}, row {row}: expected a list or a dict, found {type_of(cells)}")
        if len(cells) != len(rows[0]):
            raise DataError(f"{name}, row {row}: {counted(len(cells), 'value')} where the first row has {len(rows[0])}")
    return _from_columns(((f"x{j}", list(values)) for j, values in enumerate(zip(*rows, strict=True))), name)


def _from_array(data: Any, name: str) -> Any:
    import pyarrow as pa

    try:
        array = data if isinstance(data, np.ma.MaskedArray) else np.asarray(data)
    except Exception as error:  # the code of any library
        raise _unreadable(data, name, error) from error
    if array.dtype == object and array.ndim == 0:
        raise _unusable(data, name)
    if array.ndim != 2:
        raise DataError(f"{name} should have the shape (rows, n_features), found {array.shape}")
    names, n = [f"x{j}" for j in range(array.shape[1])], len(array)
    if array.dtype.kind in "fiu" and array.dtype.isnative and array.itemsize <= 8 and type(array) is np.ndarray:
        cells = pa.array(_column_after_column(array), from_pandas=True)
        return pa.Table.from_arrays([cells.slice(j * n, n) for j in range(len(names))], names=names)
    return _from_columns(((column, array[:, j]) for j, column in enumerate(names)), name)


def _column_after_column(array: Array) -> Array:
    """Return the cells of an array (rows, n) as one array (n * rows,)."""
    if array.flags.f_contiguous:
        return array.ravel(order="F")
    cells = np.empty(array.shape[::-1], array.dtype)
    for start in range(0, len(array), ROWS_IN_CACHE):  # twice as fast as all rows at once
        rows = slice(start, start + ROWS_IN_CACHE)
        cells[:, rows] = array[rows].T
    return cells.reshape(-1)


def _from_columns(columns: Iterable[tuple[Any, Any]], name: str) -> Any:
    """Return the table of pairs of a name and a column."""
    import pyarrow as pa

    names, arrays = [], []
    for key, values in columns:
        names.append(key if isinstance(key, str) else str(key))
        try:
            arrays.append(to_arrow_column(values))
        except ColumnError as error:
            raise DataError(f"{name}: column {named(names[-1])}{error}") from None
        if len(arrays[-1]) != len(arrays[0]):
            rows, first = counted(len(arrays[-1]), "row"), f"column {named(names[0])} has {len(arrays[0]):,}"
            raise DataError(f"{name}: column {named(names[-1])} has {rows}, but {first}")
    try:
        return pa.Table.from_arrays(arrays, names=names)
    except UnicodeEncodeError as error:
        raise DataError(f"{name}: the name of a column is not a valid text, {named(error.object)}; rename it") from None
