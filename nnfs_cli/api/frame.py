"""A small table of results, which pandas, polars and pyarrow take without copying its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.texts import Texts


class Frame(Mapping[str, Array]):
    """Named columns of equal length: predictions, or the history of a training.

    `frame["name"]` is a NumPy array (rows,), and `frame.rows` is the number of rows. Texts are arrays of str, with None
    for a gap. `pandas.DataFrame.from_arrow(frame)`, `polars.DataFrame(frame)` and `pyarrow.table(frame)` read it by the
    Arrow C stream interface; columns of numbers are not copied.

    >>> frame = Frame({"epoch": np.array([1, 2]), "train_loss": np.array([0.7, 0.5])})
    >>> frame["train_loss"][-1]
    np.float64(0.5)
    >>> list(frame)
    ['epoch', 'train_loss']
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns = dict(columns)

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, float]]) -> Self:
        """Return a frame with a row for each dict; NaN where a dict lacks a key."""
        names = dict.fromkeys(name for row in rows for name in row)
        columns: dict[str, Array] = {}
        for name in names:
            values = np.array([row.get(name, np.nan) for row in rows], np.float64)
            columns[name] = values.astype(np.int64) if name in ("epoch", "step") else values
        return cls(columns)

    def __getitem__(self, name: str) -> Array:
        column = self._columns[name]
        if isinstance(column, Texts):
            return np.array(column.tolist(), object)
        return np.asarray(column)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """Return the number of columns, as for any mapping; `rows` is the number of rows."""
        return len(self._columns)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self._columns.values()), ()))

    def to_arrow(self) -> Any:
        """Return the columns as a pyarrow Table."""
        import pyarrow as pa

        from nnfs_cli.data.arrow import to_arrow

        numbers = {name: pa.array(column) for name, column in self._columns.items() if isinstance(column, np.ndarray)}
        others = {name: column for name, column in self._columns.items() if name not in numbers}
        table = to_arrow(others)
        return pa.table({name: numbers[name] if name in numbers else table.column(name) for name in self._columns})

    def to_pandas(self) -> Any:
        """Return the columns as a pandas DataFrame. pandas has to be installed."""
        return self.to_arrow().to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the columns as an Arrow stream, for any library that reads one."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)
