"""What a table is written by, block by block, and what goes into it as Arrow has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, Self

import numpy as np

from nnfs_cli.data.texts import Texts


class TableWriter:
    """Takes blocks of rows, as named columns: arrays of NumPy or Arrow, or `Texts`; all with the same names."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()

    def write(self, columns: Mapping[str, Any]) -> None:
        """Write the next rows. NaN and NaT are empty cells."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what belongs behind the last row; the file itself stays open."""


def to_arrow(columns: Mapping[str, Any]) -> Any:
    """Named columns as a table of Arrow; texts as strings."""
    import pyarrow as pa

    arrays = {name: _array(column) for name, column in columns.items()}
    return pa.Table.from_arrays(list(arrays.values()), names=list(arrays))


def _array(column: Any) -> Any:
    import pyarrow as pa

    if isinstance(column, Texts):
        words = pa.array(column.distinct.tolist(), pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(column.codes, mask=column.gaps), words).cast(pa.string())
    if isinstance(column, np.ndarray):
        if column.dtype == object:
            return pa.array(column.tolist())
        return pa.array(column, from_pandas=True)
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column
