"""Rows of a format without types for its columns, kept as Arrow in a temporary file."""

from __future__ import annotations

import io
import json
import mmap
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from nnfs_cli.data.arrow import parse_dates, to_arrow_array, to_column, zoned_type
from nnfs_cli.data.arrow_rows import ArrowRows
from nnfs_cli.system.files import unnamed_file


class SpooledRows(ArrowRows):
    """Rows that were added table by table; the cells of all tables decide the type of a column.

    A table may lack columns: there, their cells are empty. A column that mixes numbers, dates and texts is of texts.
    The rows are in a temporary file without a name, so that their number is not limited by the memory.
    """

    def __init__(self, name: str, find_dates: bool = True) -> None:
        """Begin without rows. With `find_dates`, columns whose texts are all dates are named in `dates`."""
        import pyarrow as pa

        self.name, self.schema = name, pa.schema([])
        self._file = io.BufferedWriter(unnamed_file(self))
        self._starts: list[int] = []
        self._counts: list[int] = []
        self._find_dates, self._all_dates = find_dates, dict[str, bool]()
        self._mixed, self._faults = set[str](), dict[int, str]()
        self._content: Any = None  # a buffer with the content of the file, once it is complete

    @property
    def dates(self) -> frozenset[str]:  # type: ignore[override]
        """The columns of texts whose cells are all dates."""
        import pyarrow as pa

        types = {field.name: field.type for field in self.schema}
        return frozenset(name for name, dates in self._all_dates.items() if dates and types[name] == pa.string())

    @property
    def mixed(self) -> frozenset[str]:  # type: ignore[override]
        """The columns of texts in which some cells had another type."""
        return frozenset(self._mixed)

    @property
    def faults(self) -> Mapping[int, str]:  # type: ignore[override]
        """The rows (from 0) that could not be read, and why."""
        return self._faults

    def add(self, table: Any, faults: Mapping[int, str] = MappingProxyType({})) -> None:
        """Add the rows of a table of Arrow; `faults` are those of its rows that could not be read, and why."""
        import pyarrow as pa

        start = self.count()
        self._faults |= {start + row: reason for row, reason in faults.items()}
        self._starts.append(self._file.tell())
        self._counts.append(table.num_rows)
        for field in table.schema:
            self._join(field)
            if self._find_dates and not pa.types.is_null(field.type) and self._all_dates.get(field.name, True):
                self._all_dates[field.name] = _all_dates(table.column(field.name))
        sink = pa.PythonFile(self._file, "w")
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)

    def _join(self, field: Any) -> None:
        """Let the type of a column hold the cells of another table, too."""
        import pyarrow as pa

        known = self.schema.get_field_index(field.name)
        if known < 0:
            self.schema = self.schema.append(field)
            return
        one, other = self.schema.field(known).type, field.type
        kind = _common(one, other)
        if kind == pa.string() and {one, other} - {pa.null()} != {kind}:
            self._mixed.add(field.name)
        self.schema = self.schema.set(known, pa.field(field.name, kind))

    def complete(self) -> SpooledRows:
        """Return these rows, to which no more are added."""
        import pyarrow as pa

        size = self._file.tell()
        file = self._file.detach()
        mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""
        self._content = pa.py_buffer(mapped)
        return self

    def size(self) -> int:
        """Return the number of bytes in the temporary file."""
        return int(self._content.size)

    def count(self) -> int:
        """Return the number of rows."""
        return sum(self._counts)

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield tables with some of the columns, each of the type that all rows decide."""
        import pyarrow as pa

        for start, n_rows in zip(self._starts, self._counts, strict=True):
            if not n_rows:  # a database may begin with an empty table, which says nothing about the cells
                continue
            found = pa.ipc.open_stream(self._content.slice(start)).read_all()
            yield pa.table({name: _cast(found, name, self.schema.field(name).type, n_rows) for name in columns})


def _common(one: Any, other: Any) -> Any:
    """Return a type that holds the cells of both types."""
    import pyarrow as pa

    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if pa.types.is_nested(one) and pa.types.is_nested(other):
        return nested_type()
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other)):
        return pa.float64()
    if all(pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None) for kind in (one, other)):
        return pa.timestamp("us")
    return pa.string()


def _cast(table: Any, name: str, kind: Any, n_rows: int) -> Any:
    import pyarrow as pa
    from pyarrow import compute

    if name not in table.schema.names:
        return pa.nulls(n_rows, kind)
    column = table.column(name)
    if column.type == kind:
        return column
    if pa.types.is_nested(column.type) and column.type != zoned_type():
        nested = column if column.type == nested_type() else to_nested(column.to_pylist())
        return nested if kind == nested_type() else compute.struct_field(nested, "json")
    if kind == pa.string() and not pa.types.is_null(column.type):
        return to_arrow_array(to_column(column, as_texts=True))
    return column.cast(kind, safe=False)


def nested_type() -> Any:
    """Return the type of columns whose cells are lists or objects of different types, which no table can hold."""
    import pyarrow as pa

    return pa.struct([("json", pa.string())])


def to_nested(cells: Sequence[Any]) -> Any:
    """Return cells that are lists, objects or None as a column of the type `nested_type()`."""
    import pyarrow as pa

    return pa.array([None if cell is None else {"json": json_of(cell)} for cell in cells], nested_type())


def json_of(cell: Any) -> str:
    """Return the text of a cell in JSON."""
    return json.dumps(cell, ensure_ascii=False, default=str)


def _all_dates(column: Any) -> bool:
    """Return whether a column is of texts that are all dates."""
    import pyarrow as pa

    return bool(pa.types.is_string(column.type) and parse_dates(column)[1] is None)
