"""A small table of results, which pandas, polars and pyarrow take without copying its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.arrow import to_arrow_array
from nnfs_cli.data.table import text_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.display.html import table_html, titled_html
from nnfs_cli.display.text import numbers, table
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import counted, in_a_line, listing, named, type_of

SHOWN = 10  # rows that a representation shows
WIDTH = 80  # characters of its lines
LONGEST = 30  # characters of a text in it
COLUMNS = 20  # columns that a notebook shows


class Frame:
    """Named columns of equal length: predictions, or the history of a training.

    `frame["name"]` is the column as a NumPy array (rows,): numbers, booleans, datetimes (datetime64), or objects,
    which are str, or None for a gap. `len(frame)` is the number of rows, and iterating yields the names of the columns,
    as in pandas.

    `polars.DataFrame(frame)`, `pyarrow.table(frame)` and every other reader of the Arrow C stream interface share the
    memory of columns of numbers; `pandas.DataFrame.from_arrow(frame)` copies them, see `to_pandas`.
    Raises `DataError` if columns have different lengths, or are not given as a dict.

    >>> from nnfs_cli import Frame
    >>> frame = Frame({"epoch": [1, 2], "train_loss": [0.7, 0.5]})
    >>> frame
    epoch  train_loss
    1          0.7000
    2          0.5000
    >>> frame.columns
    ('epoch', 'train_loss')
    >>> float(frame["train_loss"].min())
    0.5
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        if not hasattr(columns, "items"):
            raise DataError(f"a frame needs a dict of columns, found {type_of(columns)}")
        self._columns = {name: _kept(column) for name, column in columns.items()}
        lengths = {name: len(column) for name, column in self._columns.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"the columns of a frame need the same length; found {lengths}")

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, float]]) -> Self:
        """Return a frame with a row for each dict of numbers; NaN where a dict lacks a key.

        >>> from nnfs_cli import Frame
        >>> Frame.of_rows([{"epoch": 1, "train_loss": 0.7}, {"epoch": 2, "train_loss": 0.5}])["epoch"]
        array([1, 2])
        """
        names = dict.fromkeys(name for row in rows for name in row)
        columns: dict[str, Array] = {}
        for name in names:
            values = np.array([row.get(name, np.nan) for row in rows], np.float64)
            columns[name] = values.astype(np.int64) if name in ("epoch", "step") else values
        return cls(columns)

    def __getitem__(self, name: str) -> Array:
        """Return a column as an array (rows,). Raises `KeyError` if there is none of this name."""
        if name not in self._columns:
            hint = "; figures of validation rows need some, as with split=0.2" if str(name).startswith("val_") else ""
            raise KeyError(f"there is no column {named(str(name))}; there are {listing(map(named, self))}{hint}")
        column = self._columns[name]
        if isinstance(column, np.ndarray):
            return column
        if isinstance(column, Texts):
            return np.array(column.tolist(), object)
        return np.asarray(to_arrow_array(column).to_numpy(zero_copy_only=False))

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self._columns.values()), ()))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns.

        >>> from nnfs_cli import Frame
        >>> Frame({"prediction": ["yes", "no"]}).columns
        ('prediction',)
        """
        return tuple(self._columns)

    def keys(self) -> tuple[str, ...]:
        """Return the names of the columns, so that `dict(frame)` is a dict of arrays.

        >>> from nnfs_cli import Frame
        >>> dict(Frame({"epoch": [1, 2]}))
        {'epoch': array([1, 2])}
        """
        return self.columns

    def to_arrow(self) -> Any:
        """Return the columns as a pyarrow Table. Columns of numbers share the memory of the frame.

        >>> from nnfs_cli import Frame
        >>> Frame({"epoch": [1, 2]}).to_arrow().schema
        epoch: int64
        """
        import pyarrow as pa

        arrays = [_arrow(column) for column in self._columns.values()]
        return pa.Table.from_arrays(arrays, names=list(self._columns))

    def to_pandas(self, copy: bool = True) -> Any:
        """Return the columns as a DataFrame of pandas, which has to be installed.

        Without `copy`, columns of numbers share the memory of the frame, and pandas cannot change their cells.

        >>> from nnfs_cli import Frame
        >>> Frame({"epoch": [1, 2], "train_loss": [0.7, 0.5]}).to_pandas()
           epoch  train_loss
        0      1         0.7
        1      2         0.5
        """
        return self.to_arrow().to_pandas(split_blocks=not copy)

    def to_polars(self) -> Any:
        """Return the columns as a DataFrame of polars, which has to be installed.

        >>> from nnfs_cli import Frame
        >>> Frame({"epoch": [1, 2], "train_loss": [0.7, 0.5]}).to_polars().shape
        (2, 2)
        """
        import polars

        return polars.DataFrame(self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the columns as an Arrow stream, for any library that reads one."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __array__(self, dtype: object = None, copy: object = None) -> Array:
        """Raise `TypeError`: otherwise pandas and NumPy would mistake the names of the columns for rows."""
        raise TypeError("a Frame is not one array: frame['name'] is a column, and frame.to_pandas() is a DataFrame")

    # Representations

    def __repr__(self) -> str:
        for n in range(len(self._columns), 0, -1):
            text = table(self._header(n), self._cells(n))
            if max(map(len, text.splitlines())) <= WIDTH:
                break
        else:
            return f"a frame without columns ({counted(len(self), 'row')})"
        return f"{text}\n{self._size}" if len(self) > SHOWN or n < len(self._columns) else text

    def _repr_html_(self) -> str:
        n = min(len(self._columns), COLUMNS)
        first = next(iter(self._columns.values()), None)
        labels = int(not (isinstance(first, np.ndarray) and first.dtype.kind in "biuf"))  # numbers are right-aligned
        return titled_html(self._size, table_html(self._header(n), self._cells(n), labels))

    @property
    def _size(self) -> str:
        return f"{counted(len(self), 'row')}, {counted(len(self._columns), 'column')}"

    def _header(self, n: int) -> list[str]:
        """Return the names of the first n columns, and a mark if there are more."""
        return [*self.columns[:n], *(["..."] if n < len(self._columns) else [])]

    def _cells(self, n: int) -> list[list[str]]:
        """Return the first and the last rows of the first n columns as texts."""
        columns = [self._texts(name) for name in self.columns[:n]]
        if n < len(self._columns):
            columns.append(["..."] * SHOWN)
        rows = [list(row) for row in zip(*columns, strict=False)]
        half = SHOWN // 2
        return rows if len(self) <= SHOWN else [*rows[:half], ["..."] * len(columns), *rows[half:]]

    def _texts(self, name: str) -> list[str]:
        """Return the cells of a column that are shown."""
        column, half = self._columns[name], SHOWN // 2
        ends = [column] if len(self) <= SHOWN else [column[:half], column[len(self) - half :]]
        cells = [cell for end in ends for cell in Frame({name: end})[name].tolist()]
        return numbers(cells) if all(isinstance(cell, float) for cell in cells) else [*map(_shown, cells)]


def _kept(column: Any) -> Any:
    """Return a column as it is kept: contiguous arrays, so that Arrow need not copy them."""
    if isinstance(column, Texts) or hasattr(column, "type"):  # a column of Arrow
        return column
    array = np.ascontiguousarray(column)
    return array.astype(object) if array.dtype.kind == "U" else array


def _arrow(column: Any) -> Any:
    """Return a column of Arrow; NaN stays NaN, as a null mask would be another array."""
    import pyarrow as pa

    if isinstance(column, np.ndarray) and column.dtype.kind in "biuf":
        return pa.array(column)
    return to_arrow_array(column)


def _shown(value: object) -> str:
    """Return a cell as a short text on one line."""
    text = str(value) if isinstance(value, bool | int) else in_a_line(text_of(value))
    return f"{text[: LONGEST - 3]}..." if len(text) > LONGEST else text
