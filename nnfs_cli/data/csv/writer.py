"""Write tables as CSV in UTF-8 with pyarrow; quote only the texts that need it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from nnfs_cli.data.arrow import to_arrow
from nnfs_cli.data.table_writer import TableWriter
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import named

NEEDS_QUOTES = '[",\\r\\n]'  # a pattern
A_NUMBER = re.compile(r"[-+]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][-+]?[0-9]+)?")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # the first characters of a text that a spreadsheet runs


class CsvWriter(TableWriter):
    """A writer of CSV files with a header. A number is written with the fewest digits that read back the same.

    A text that is not a number and begins with = + - @, a tab or a carriage return gets an apostrophe before it, so
    that a spreadsheet does not run it as a formula (OWASP, "CSV Injection").
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._has_header = False

    def write(self, columns: Mapping[str, Any]) -> None:
        """Write the next rows, with the header before the first."""
        if not self._has_header:
            header = io.StringIO()
            csv.writer(header, lineterminator="\n").writerow(map(harmless, columns))
            self.file.write(header.getvalue().encode())
            self._has_header = True
        self._write(to_arrow(columns))

    def _write(self, table: Any) -> None:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        quoted = table.num_columns == 1 and _has_gaps(table.column(0))
        for i, field in enumerate(table.schema):
            if _is_text(field.type):
                column, quotes = _escaped(table.column(i))
                quoted = quoted or quotes
                table = table.set_column(i, field.name, column)
        try:
            if quoted:
                self.file.write(_quoted_lines(table))
            else:
                options = arrow_csv.WriteOptions(include_header=False, quoting_style="none")
                arrow_csv.write_csv(table, self.file, options)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise DataError(f"{_unwritable(table)}; write to a file that ends in .parquet") from error


def write_csv(columns: Mapping[str, Any], file: BinaryIO) -> None:
    """Write named columns, each (rows,), in one call."""
    with CsvWriter(file) as writer:
        writer.write(columns)


def harmless(text: str) -> str:
    """Return the text, with an apostrophe before it if a spreadsheet would run it."""
    return f"'{text}" if text.startswith(FORMULA) and not A_NUMBER.fullmatch(text) else text


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _escaped(column: Any) -> tuple[Any, bool]:
    """Return texts without formulas, and whether any of them needs quotes."""
    import pyarrow as pa
    from pyarrow import compute

    first = compute.utf8_slice_codeunits(column, 0, 1)
    suspect = compute.fill_null(compute.is_in(first, value_set=pa.array(FORMULA)), False)
    if compute.any(suspect).as_py():
        safe = pa.array([harmless(text) for text in column.filter(suspect).to_pylist()], column.type)
        column = compute.replace_with_mask(_whole(column), _whole(suspect), safe)
    special = compute.match_substring_regex(column, NEEDS_QUOTES)
    return column, bool(compute.any(special).as_py())


def _quoted_lines(table: Any) -> bytes:
    """Return all rows as lines, with quotes around the texts that need them."""
    import pyarrow as pa
    from pyarrow import compute

    cells = []
    for column in table.columns:
        if not _is_text(column.type):
            column = column.cast(pa.string())
        else:
            special = compute.match_substring_regex(column, NEEDS_QUOTES)
            doubled = compute.replace_substring(column, '"', '""')
            mark, between = pa.scalar('"', column.type), pa.scalar("", column.type)
            quoted = compute.binary_join_element_wise(mark, doubled, mark, between)
            column = compute.if_else(special, quoted, column)
        cells.append(column.cast(pa.large_string()))
    comma, nothing, line_end = (pa.scalar(text, pa.large_string()) for text in (",", "", "\n"))
    gap = '""' if len(cells) == 1 else ""  # a blank line would not be read as a row
    if gap:
        cells = [compute.if_else(compute.equal(cells[0], nothing), gap, cells[0])]
    lines = compute.binary_join_element_wise(*cells, comma, null_handling="replace", null_replacement=gap)
    lines = compute.binary_join_element_wise(lines, nothing, line_end)
    return b"".join(_data(chunk) for chunk in lines.chunks)


def _data(chunk: Any) -> bytes:
    """Return all texts of a chunk, joined."""
    offsets = np.frombuffer(chunk.buffers()[1], np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
    return memoryview(chunk.buffers()[2])[int(offsets[0]) : int(offsets[-1])].tobytes() if len(chunk) else b""


def _has_gaps(column: Any) -> bool:
    from pyarrow import compute

    return bool(column.null_count or (_is_text(column.type) and compute.any(compute.equal(column, "")).as_py()))


def _whole(column: Any) -> Any:
    import pyarrow as pa

    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _unwritable(table: Any) -> str:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    for name in table.column_names:
        try:
            arrow_csv.write_csv(table.select([name]).slice(0, 1), io.BytesIO())
        except pa.ArrowException:
            return f"column {named(name)} has the type {table.schema.field(name).type}, which CSV cannot hold"
    return "CSV cannot hold these columns"
