"""The sheets of a workbook, and the rows of a sheet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from nnfs_cli.data.csv.header import LIKE_INDEX, name_columns
from nnfs_cli.data.file_source import check_names
from nnfs_cli.data.table import text_of
from nnfs_cli.errors import DataError
from nnfs_cli.system.extras import needed
from nnfs_cli.system.remote.file import Location
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import did_you_mean, listing, named

LISTED = 12  # sheets that a message lists, at most
Row = list[Any]  # cells, with an empty text for an empty one


@contextlib.contextmanager
def workbook(path: Location) -> Iterator[Any]:
    """Open a workbook with calamine. Raises `DataError` if the file is none."""
    with needed("excel", f"reading {path.name}"):
        import python_calamine as calamine

    with path.open("rb") as file:
        try:
            yield calamine.CalamineWorkbook.from_filelike(file)
        except calamine.CalamineError as error:
            why = str(error).splitlines()[0]
            raise DataError(f"{path.name} is not an Excel workbook or is damaged: {why}") from None


def sheets_of(book: Any, hidden: bool = False) -> list[str]:
    """Return the names of the sheets that hold cells and are not hidden; with `hidden`, also of the hidden ones."""
    import python_calamine as calamine

    kind, seen = calamine.SheetTypeEnum.WorkSheet, calamine.SheetVisibleEnum.Visible
    return [sheet.name for sheet in book.sheets_metadata if sheet.typ == kind and (hidden or sheet.visible == seen)]


def sheet_of(book: Any, name: str | None, file: str) -> Any:
    """Return the sheet of this name, or the first that is not hidden. Raises `DataError` if it is missing or empty."""
    every = sheets_of(book, hidden=True)
    if name is not None and name not in every:
        raise DataError(f"{file} has no sheet {named(name)}{did_you_mean(name, every) or f'; it has {_listed(every)}'}")
    name = next(iter((name and [name]) or sheets_of(book) or every), None)
    if name is None:
        raise DataError(f"{file} has no sheet with cells")
    sheet = book.get_sheet_by_name(name)
    if not sheet.height:
        others = [other for other in every if other != name]
        more = f"; another one is chosen with  sheet  (or with --sheet): {_listed(others, 'or')}" if others else ""
        raise DataError(f"{file}: the sheet {named(name)} is empty{more}")
    return sheet


def _listed(names: Sequence[str], last: str = "and") -> str:
    return listing([named(name) for name in names[:LISTED]], last)


def rows_of(sheet: Any) -> Iterator[Row]:
    """Yield the rows of a sheet from its first one. Cells that are merged into one column all hold its value."""
    left = sheet.start[1] if sheet.start else 0
    merged: dict[int, list[tuple[int, int]]] = {}  # the columns of cells that begin in a row, and their last rows
    for (top, first), (bottom, _) in sheet.merged_cell_ranges or ():
        if bottom > top:
            merged.setdefault(top, []).append((first - left, bottom))
    held: dict[int, tuple[int, Any]] = {}
    for at, row in enumerate(sheet.iter_rows()):
        for column, (bottom, value) in held.items():
            if at <= bottom and row[column] == "":
                row[column] = value
        for column, bottom in merged.get(at, ()):
            if 0 <= column < len(row):
                held[column] = bottom, row[column]
        yield row


def is_blank(row: Row) -> bool:
    """Return whether all cells of a row are empty."""
    return all(cell == "" for cell in row)


class Header(NamedTuple):
    """The header of a sheet: its row in the sheet (from 0), and the name of each column, None for one left out."""

    row: int
    names: list[str | None]


def header_of(sheet: Any, skip_rows: int, file: str) -> Header:
    """Find the header: the first row that is not blank after `skip_rows` rows.

    Columns without a name are left out if they are empty; so is an index of whole numbers in the first column, with a
    warning. Raises `DataError` if another column has no name, or two have the same.
    """
    rows = ((at, row) for at, row in enumerate(rows_of(sheet)) if at >= skip_rows and not is_blank(row))
    at, cells = next(rows, (0, []))
    if not cells:
        raise DataError(f"{file} has no rows after the first {skip_rows} of the sheet {named(sheet.name)}")
    names = [cell if isinstance(cell, str) else text_of(cell) for cell in cells]
    blank = [place for place, name in enumerate(names) if not name.strip()]
    filled = set[int]()  # of those, the columns with cells
    whole = True  # whether the cells of the first column are whole numbers
    for _, row in rows if blank else ():
        filled.update(place for place in blank if row[place] != "")
        whole = whole and (row[0] == "" or (isinstance(row[0], float) and row[0].is_integer()))
    left_out = {*blank} - filled
    if 0 in filled and whole:
        warn(f"{file}: {LIKE_INDEX}. With a name in the header it is a column")
        left_out.add(0)
    elif 0 in filled:
        names[0] = name_columns([""])[0][0]
    unnamed = min(filled - {0}, default=None)
    if unnamed is not None and any(top <= at <= bottom for (top, _), (bottom, _) in sheet.merged_cell_ranges or ()):
        why = "has no name, since cells of the header are merged; name each column"
        raise DataError(f"{file}: column {1 + unnamed} {why}")
    check_names([name for place, name in enumerate(names) if place not in left_out], file)
    return Header(at, [None if place in left_out else name for place, name in enumerate(names)])
