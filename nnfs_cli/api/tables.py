"""The tables that Python users give: their types, and whether their columns have names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from numpy.typing import ArrayLike


class ArrowTable(Protocol):
    """A table that offers the Arrow C stream interface: one of pandas, polars, pyarrow, DuckDB, and so on."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> object:
        """Return the table as a stream."""
        ...


TableLike: TypeAlias = ArrowTable | ArrayLike | Mapping[str, Any] | Sequence[Any]
"""A table of any library, an array (rows, n_features), a dict of columns, a list of rows as dicts, or one such row."""

TableOrPath: TypeAlias = TableLike | str | os.PathLike[str]
"""A table, or the path or URL of a file."""


def has_names(X: Any) -> bool:
    """Return whether inputs come with names of their columns, and not as an array."""
    rows = isinstance(X, Sequence) and len(X) > 0 and all(isinstance(row, Mapping) for row in X)
    columns = isinstance(X, Mapping) and not hasattr(X, "toarray")  # a sparse matrix may be a dict, too
    return rows or columns or hasattr(X, "__arrow_c_stream__")
