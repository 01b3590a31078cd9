"""Rows of a format without types for its columns, kept as Arrow in a temporary file."""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator, Sequence
from typing import Any

from nnfs_cli.data.arrow import parse_dates, to_arrow_array, to_column
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
        self._content: Any = None  # a buffer with the content of the file, once it is complete

    @property
    def dates(self) -> frozenset[str]:  # type: ignore[override]
        """The columns of texts whose cells are all dates."""
        import pyarrow as pa

        types = {field.name: field.type for field in self.schema}
        return frozenset(name for name, dates in self._all_dates.items() if dates and types[name] == pa.string())

    def add(self, table: Any) -> None:
        """Add the rows of a table of Arrow."""
        import pyarrow as pa

        self._starts.append(self._file.tell())
        self._counts.append(table.num_rows)
        for field in table.schema:
            known = self.schema.get_field_index(field.name)
            self.schema = (
                self.schema.append(field)
                if known < 0
                else self.schema.set(known, pa.field(field.name, _common(self.schema.field(known).type, field.type)))
            )
            if self._find_dates and not pa.types.is_null(field.type) and self._all_dates.get(field.name, True):
                self._all_dates[field.name] = _all_dates(table.column(field.name))
        sink = pa.PythonFile(self._file, "w")
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)

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
            found = pa.ipc.open_stream(self._content.slice(start)).read_all()
            yield pa.table({name: _cast(found, name, self.schema.field(name).type, n_rows) for name in columns})


def _common(one: Any, other: Any) -> Any:
    """Return a type that holds the cells of both types."""
    import pyarrow as pa

    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other)):
        return pa.float64()
    if all(pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None) for kind in (one, other)):
        return pa.timestamp("us")
    return pa.string()


def _cast(table: Any, name: str, kind: Any, n_rows: int) -> Any:
    import pyarrow as pa

    if name not in table.schema.names:
        return pa.nulls(n_rows, kind)
    column = table.column(name)
    if column.type == kind:
        return column
    if kind == pa.string() and not pa.types.is_null(column.type):
        return to_arrow_array(to_column(column, as_texts=True))
    return column.cast(kind, safe=False)


def _all_dates(column: Any) -> bool:
    """Return whether a column is of texts that are all dates."""
    import pyarrow as pa

    return bool(pa.types.is_string(column.type) and parse_dates(column)[1] is None)
