"""Rows that are read as batches of Arrow: the base class, and rows in a folder that names a part of their columns."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from nnfs_cli.errors import DataError

BATCH_ROWS = 32_768  # rows that are read at a time
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"  # how Hive writes an empty cell as the name of a folder


class ArrowRows:
    """Rows in one place, such as a file, which are read in order. `name` is the name of the place in messages.

    `dates` are columns of texts whose cells are all dates, where the format has no type for dates. `mixed` are columns
    of texts in which some cells had another type. `faults` maps rows (from 0) that cannot be read at all to the reason;
    their cells are empty.
    """

    name: str
    schema: Any  # of Arrow
    dates: frozenset[str] = frozenset()
    mixed: frozenset[str] = frozenset()
    faults: Mapping[int, str] = MappingProxyType({})

    def count(self) -> int:
        """Return the number of rows, without reading their cells."""
        raise NotImplementedError

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield tables of Arrow with some of the columns, about `BATCH_ROWS` rows at a time. `columns` is not empty."""
        raise NotImplementedError

    def whole(self, columns: Sequence[str]) -> Any:
        """Return all rows as one table of Arrow, with some of the columns."""
        import pyarrow as pa

        schema = pa.schema([self.schema.field(name) for name in columns])
        return pa.concat_tables([schema.empty_table(), *self.batches(columns)]) if columns else schema.empty_table()


@contextlib.contextmanager
def plain_errors(name: str, kind: str) -> Iterator[None]:
    """Turn errors of pyarrow about the content of a file into `DataError`; `kind` is that of the file."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise DataError(f"{name} is not a {kind} file or is damaged: {str(error).splitlines()[0]}") from None


class PartitionedRows(ArrowRows):
    """The rows of a file in a folder such as year=2026/month=1, with the columns year and month."""

    def __init__(self, rows: ArrowRows, cells: Mapping[str, Any]) -> None:
        """Add to each of the `rows` the same `cells`, scalars of Arrow by the name of their column."""
        self.rows, self.cells = rows, cells
        self.name, self.dates, self.mixed, self.faults = rows.name, rows.dates, rows.mixed, rows.faults
        self.schema = rows.schema
        for name, cell in cells.items():
            self.schema = self.schema.append(_field(name, cell))

    def count(self) -> int:
        """Return the number of rows."""
        return self.rows.count()

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield tables of Arrow with some of the columns."""
        import pyarrow as pa

        stored = [name for name in columns if name not in self.cells] or self.rows.schema.names[:1]
        for batch in self.rows.batches(stored):
            for name in columns:
                if name in self.cells:
                    batch = batch.append_column(_field(name, self.cells[name]), pa.repeat(self.cells[name], len(batch)))
            yield batch.select(list(columns))


def _field(name: str, cell: Any) -> Any:
    import pyarrow as pa

    return pa.field(name, cell.type)


def partitions(folders: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Return the cells that folders such as (year=2026, month=1) stand for, as scalars of Arrow, for each file.

    A column is of whole numbers if all its cells are, else of texts. Other folders stand for nothing.

    >>> partitions([("year=2026", "site=a%20b"), ("year=2025", "site=c")])[0]
    {'year': <pyarrow.Int64Scalar: 2026>, 'site': <pyarrow.StringScalar: 'a b'>}
    """
    import pyarrow as pa

    found = []
    for names in folders:
        pairs = (name.partition("=") for name in names if "=" in name)
        found.append({unquote(key): None if text == NULL_PARTITION else unquote(text) for key, _, text in pairs})
    numbers = {key for cells in found for key in cells}
    for cells in found:
        numbers -= {key for key, text in cells.items() if text is not None and not _is_whole(text)}
    types = {key: pa.int64() if key in numbers else pa.string() for cells in found for key in cells}
    return [
        {key: pa.scalar(int(text) if key in numbers and text else text, types[key]) for key, text in cells.items()}
        for cells in found
    ]


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 19
