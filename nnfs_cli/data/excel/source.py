"""Data sets in sheets of Excel workbooks, which calamine reads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnfs_cli.components.field_types import Lines, Text
from nnfs_cli.data.arrow_rows import BATCH_ROWS
from nnfs_cli.data.excel.workbook import Row, header_of, is_blank, rows_of, sheet_of, sheets_of, workbook
from nnfs_cli.data.python_columns import ColumnError, to_arrow_column
from nnfs_cli.data.spooled_file import SpooledFile
from nnfs_cli.errors import DataError
from nnfs_cli.system.remote.file import Location
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import named

EXACT = 2**53  # from here on, floats skip whole numbers


class Excel(SpooledFile, name="excel", main="path"):
    """A sheet of an Excel workbook, whose first row names the columns; also of an OpenDocument spreadsheet.

    A formula counts as the value that was saved with it, and an error such as #N/A as an empty cell. Cells that are
    merged into one all hold its value, if they are in one column. Blank rows, empty columns and an index that pandas
    writes are left out.
    """

    examples = (
        "excel: {path: houses.xlsx, target: price}",
        "excel: {path: houses.xlsx, sheet: Sold, skip_rows: 2, target: price}",
    )
    suffixes = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

    sheet: Text | None = None
    """Name of the sheet. The default is the first one that is not hidden."""
    skip_rows: Lines = 0
    """Number of rows before the header, such as a title."""

    def first_rows(self, n: int) -> tuple[str | None, list[Row]]:
        """Return the name of the sheet, or None if there is only one, and its first `n` rows."""
        path = self.files[0]
        with self._plain_errors(), workbook(path) as book:
            sheet = sheet_of(book, self.sheet, path.name)
            several = len(sheets_of(book, hidden=True)) > 1
            return sheet.name if several else None, [*itertools.islice(rows_of(sheet), n)]

    def _tables(self, path: Location) -> Iterator[tuple[Any, Mapping[int, str]]]:
        import pyarrow as pa

        with workbook(path) as book:
            sheet = sheet_of(book, self.sheet, path.name)
            if self.sheet is None and len(every := sheets_of(book)) > 1:
                read = f"its first one, {named(sheet.name)}, is read; `sheet` names another one"
                warn(f"{path.name} has {len(every)} sheets; {read}")
            header = header_of(sheet, self.skip_rows, path.name)
            rows = (row for row in itertools.islice(rows_of(sheet), header.row + 1, None) if not is_blank(row))
            while some := [*itertools.islice(rows, BATCH_ROWS)]:
                columns: dict[str, Any] = {}
                for name, cells in zip(header.names, zip(*some, strict=True), strict=True):
                    if name is None:
                        continue
                    try:
                        columns[name] = to_arrow_column(_plain(cells))
                    except ColumnError as error:
                        raise DataError(f"{path.name}: column {named(name)}{error}") from None
                yield pa.table(columns), {}


def _plain(cells: Sequence[Any]) -> list[Any]:
    """Return the cells with None for empty ones, and whole numbers as integers if all numbers are whole."""
    found = [None if cell == "" else cell for cell in cells]
    if all(cell is None or (isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT) for cell in found):
        return [None if cell is None else int(cell) for cell in found]
    return found
