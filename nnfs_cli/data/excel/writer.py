"""Write tables as Excel workbooks with openpyxl."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from nnfs_cli.data.arrow import to_arrow
from nnfs_cli.data.table_writer import TableWriter
from nnfs_cli.errors import DataError
from nnfs_cli.system.extras import needed
from nnfs_cli.system.wording import named, shown

MOST_ROWS = 1_048_576  # of a sheet, with the header
LONGEST = 32_767  # characters of a cell
CELLS = (str, int, float, bool, datetime, date, time, timedelta, type(None))


class ExcelWriter(TableWriter):
    """A writer of workbooks with one sheet. A text that begins with = stays a text; it is no formula."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        with needed("excel", "writing a workbook"):
            import openpyxl
        self._workbook = openpyxl.Workbook(write_only=True)
        self._sheet = self._workbook.create_sheet("Sheet1")
        self._rows = 0

    def write(self, columns: Mapping[str, Any]) -> None:
        """Write the next rows, with the header before the first."""
        if not self._rows:
            self._append([*columns], [*columns])
        for row in to_arrow(columns).to_pylist():
            self._append([*columns], [*row.values()])

    def close(self) -> None:
        """Write the workbook, whose rows openpyxl has kept in a temporary file."""
        self._workbook.save(self.file)

    def _append(self, names: list[str], cells: list[Any]) -> None:
        from openpyxl.utils.exceptions import IllegalCharacterError

        self._rows += 1
        if self._rows > MOST_ROWS:
            raise DataError(f"a sheet of Excel holds at most {MOST_ROWS:,} rows; write to a .csv or .parquet file")
        for name, cell in zip(names, cells, strict=True):
            if not isinstance(cell, CELLS) or (isinstance(cell, str) and len(cell) > LONGEST):
                raise self._unwritable(name, cell)
        try:
            self._sheet.append([self._plain(cell) for cell in cells])
        except IllegalCharacterError:
            name, cell = next(
                (name, cell) for name, cell in zip(names, cells, strict=True) if not str(cell).isprintable()
            )
            raise self._unwritable(name, cell) from None

    def _plain(self, cell: Any) -> Any:
        from openpyxl.cell import WriteOnlyCell

        if isinstance(cell, datetime) and cell.tzinfo is not None:
            return cell.replace(tzinfo=None)
        if isinstance(cell, float) and cell in (float("inf"), -float("inf")):
            return str(cell)
        if isinstance(cell, str) and cell.startswith("="):
            text = WriteOnlyCell(self._sheet, cell)
            text.data_type = "s"
            return text
        return cell

    def _unwritable(self, name: str, cell: Any) -> DataError:
        remedy = "write to a .csv or .parquet file"
        return DataError(f"column {named(name)} holds {shown(cell)}, which Excel cannot hold; {remedy}")
