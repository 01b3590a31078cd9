"""Columns of Arrow, which reads files, as arrays of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.errors import DataError
from nnfs_cli.parameters import Array


def to_arrays(table: Any) -> tuple[dict[str, Array], dict[str, str]]:
    """The columns that hold numbers, truth values or texts, as `Table` wants them, and the kinds of all others."""
    import pyarrow as pa

    columns: dict[str, Array] = {}
    unreadable: dict[str, str] = {}
    for name in table.column_names:
        try:
            columns[name] = _to_array(table[name])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            unreadable[name] = str(table[name].type)
    return columns, unreadable


def _to_array(column: Any) -> Array:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _to_array(column.cast(kind.value_type))
    if pa.types.is_decimal(kind):
        return _to_array(column.cast(pa.float64()))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or (pa.types.is_boolean(kind) and not column.null_count):
        return np.asarray(column.to_numpy())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        raise pa.ArrowInvalid("bytes are no text")
    values = np.empty(len(column), object)
    values[:] = (column if pa.types.is_boolean(kind) else column.cast(pa.large_string())).to_pylist()
    return values


def check_names(table: Any, path: str) -> None:
    """Raise `DataError` unless every column has a name of its own."""
    places: dict[str, int] = {}
    for place, name in enumerate(table.column_names, 1):
        if not name.strip():
            raise DataError(f"{path}: column {place} has no name in the header; name it, or write the file without it")
        if name in places:
            both = f"the columns {places[name]} and {place}"
            raise DataError(f"{path}: {both} are both named '{name}'; rename one of them")
        places[name] = place
