"""Data sets in sheets of Excel workbooks, which calamine reads."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnfs_cli.components.field_types import Text
from nnfs_cli.data.arrow_rows import BATCH_ROWS
from nnfs_cli.data.file_source import check_names
from nnfs_cli.data.python_columns import ColumnError, to_arrow_column
from nnfs_cli.data.spooled_file import SpooledFile
from nnfs_cli.data.table import text_of
from nnfs_cli.errors import DataError
from nnfs_cli.system.extras import needed
from nnfs_cli.system.remote.file import Location
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import did_you_mean, listing, named

EXACT = 2**53  # from here on, floats skip whole numbers
LISTED = 12  # sheets that a message lists, at most


class Excel(SpooledFile, name="excel", main="path"):
    """A sheet of an Excel workbook, whose first row names the columns; also of an OpenDocument spreadsheet.

    A formula counts as the value that was saved with it, and an error such as #N/A as an empty cell. Blank rows are
    left out.
    """

    examples = ("excel: {path: houses.xlsx, target: price}", "excel: {path: houses.xlsx, sheet: Sold, target: price}")
    suffixes = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

    sheet: Text | None = None
    """Name of the sheet. The default is the first one."""

    def _tables(self, path: Location) -> Iterator[tuple[Any, Mapping[int, str]]]:
        import pyarrow as pa

        rows = (row for row in self._rows(path) if any(cell != "" for cell in row))
        names = [cell if isinstance(cell, str) else text_of(cell) for cell in next(rows, ())]
        check_names(names, path.name)
        while some := [*itertools.islice(rows, BATCH_ROWS)]:
            columns = {}
            for name, cells in zip(names, zip(*some, strict=True), strict=True):
                try:
                    columns[name] = to_arrow_column(_plain(cells))
                except ColumnError as error:
                    raise DataError(f"{path.name}: column {named(name)}{error}") from None
            yield pa.table(columns), {}

    def proposed(self) -> dict[str, Any]:
        """Return the name of the first sheet if there are several."""
        with self._plain_errors(), self._workbook(self.files[0]) as workbook:
            return {"sheet": workbook.sheet_names[0]} if len(workbook.sheet_names) > 1 else {}

    def _rows(self, path: Location) -> Iterator[Sequence[Any]]:
        """Yield the rows of the sheet. Raises `DataError` if the file is no workbook or has no such sheet."""
        with self._workbook(path) as workbook:
            yield from workbook.get_sheet_by_name(self._name_in(workbook.sheet_names, path)).iter_rows()

    @contextlib.contextmanager
    def _workbook(self, path: Location) -> Iterator[Any]:
        with needed("excel", f"reading {path.name}"):
            import python_calamine as calamine

        with path.open("rb") as file:
            try:
                yield calamine.CalamineWorkbook.from_filelike(file)
            except calamine.CalamineError as error:
                why = str(error).splitlines()[0]
                raise DataError(f"{path.name} is not an Excel workbook or is damaged: {why}") from None

    def _name_in(self, sheets: Sequence[str], path: Location) -> str:
        if self.sheet is None:
            if len(sheets) > 1:
                read = f"its first one, {named(sheets[0])}, is read; `sheet` names another one"
                warn(f"{path.name} has {len(sheets)} sheets; {read}")
            return sheets[0]
        if self.sheet not in sheets:
            more = did_you_mean(self.sheet, sheets) or f"; it has {listing(map(named, sheets[:LISTED]))}"
            raise DataError(f"{path.name} has no sheet {named(self.sheet)}{more}")
        return self.sheet


def _plain(cells: Sequence[Any]) -> list[Any]:
    """Return the cells with None for empty ones, and whole numbers as integers if all numbers are whole."""
    found = [None if cell == "" else cell for cell in cells]
    if all(cell is None or (isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT) for cell in found):
        return [None if cell is None else int(cell) for cell in found]
    return found
