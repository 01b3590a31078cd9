"""Tables with named columns as inputs of a `Sequential`, which takes only numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_cli.api.tables import has_names
from nnfs_cli.data.python_tables import to_arrow_table
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import counted, listing, named

ESTIMATORS = "NetClassifier and NetRegressor take texts, dates and gaps"


def column_names(X: Any) -> tuple[str, ...] | None:
    """Return the names of the columns of a table, or None for an array."""
    return tuple(to_arrow_table(X, "X").column_names) if _is_table(X) else None


def table_numbers(X: Any, columns: Sequence[str] | None, name: str) -> Any:
    """Return the numbers (rows, columns) of a table in float64; anything else is returned as it is.

    With `columns`, they are in that order. Raises `DataError` if the table has others, or cells that are not numbers.
    """
    if not _is_table(X):
        return X
    import pyarrow as pa

    table = to_arrow_table(X, name)
    if columns is not None:
        table = _in_order(table, columns, name)
    numbers = np.empty((table.num_rows, table.num_columns))
    for j, (column, kind) in enumerate(zip(table.column_names, table.schema.types, strict=True)):
        found, cells = f"{name}, column {named(column)}", table.column(j)
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            raise DataError(f"{found} should hold numbers, found {kind}; {ESTIMATORS}")
        if cells.null_count:
            row = int(np.argmax(cells.is_null().to_numpy())) + 1
            raise DataError(f"{found}, row {row}: expected a number, found an empty cell; {ESTIMATORS}")
        numbers[:, j] = cells.to_numpy()
    return numbers


def _in_order(table: Any, columns: Sequence[str], name: str) -> Any:
    for names, others, verb in ((columns, table.column_names, "lacks"), (table.column_names, columns, "also has")):
        if differing := [column for column in names if column not in others]:
            which = f"{counted(len(differing), 'column')}: {listing(map(named, differing[:5]))}"
            known = listing([*map(named, columns[:5]), *(["others"] if len(columns) > 5 else [])])
            raise DataError(f"{name} {verb} {which}; the net was trained on {known}")
    return table.select(list(columns))


def _is_table(X: Any) -> bool:
    return has_names(X) and getattr(X, "ndim", 2) == 2  # a series of pandas has one axis
