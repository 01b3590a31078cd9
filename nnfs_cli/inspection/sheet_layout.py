"""Detect where the table begins in a sheet of a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_cli.data.excel import Excel
from nnfs_cli.data.excel.workbook import Row
from nnfs_cli.inspection.csv_lines import EXAMINED, MOST_BEFORE


def layout_of(source: Excel) -> dict[str, Any]:
    """Return the settings of a config that read the sheet: its name, if there are several, and the rows of a title.

    Raises `DataError` if there is no such sheet, or it is empty.
    """
    name, rows = source.first_rows(EXAMINED)
    return {key: value for key, value in {"sheet": name, "skip_rows": _rows_before_header(rows)}.items() if value}


def _rows_before_header(rows: Sequence[Row]) -> int:
    """Return how many rows come before the header: the first row of texts in all columns that most rows fill.

    The header may leave out the name of the first column, as pandas does for an index.
    """
    filled = [(at, [cell != "" for cell in row]) for at, row in enumerate(rows) if any(cell != "" for cell in row)]
    of_columns = zip(*(cells for _, cells in filled), strict=True)
    used = [place for place, cells in enumerate(of_columns) if place and 2 * sum(cells) > len(filled)]
    for at, cells in filled[:MOST_BEFORE]:
        if all(cells[place] for place in used):
            is_header = at > filled[0][0] and all(isinstance(rows[at][place], str) for place in used)
            return at if is_header else 0
    return 0
