"""Detect how a CSV file is written: its delimiter and decimal mark, and the lines in it that are no rows.

The cells show all of it. The encoding is UTF-8, or cp1252 where the words show it; any other is refused with advice.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnfs_cli.data.csv.header import name_columns
from nnfs_cli.data.csv.other_lines import is_summary
from nnfs_cli.data.numbers import NUMBER, looks_like_number
from nnfs_cli.errors import DataError
from nnfs_cli.inspection.csv_lines import (
    EXAMINED,
    Record,
    comment_mark,
    header_in_comment,
    lines_before_header,
    records_of,
    summary_texts,
    usual_width,
    without_comments,
)
from nnfs_cli.inspection.csv_text import CsvText, read_text
from nnfs_cli.system.remote.file import Location

DELIMITERS = (",", ";", "\t", "|")  # of two that fit equally well, the first one wins
POINT = re.compile(r"[-+]?[0-9]*\.[0-9]+")
COMMA = re.compile(r"[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?")
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a file is written: the names of its columns, and the settings of a config that read it.

    `code_columns` hold codes with leading zeros, such as 0815. `index` is a column without a name that holds whole
    numbers, as pandas writes it.
    """

    header: tuple[str, ...]
    settings: Mapping[str, Any]
    code_columns: frozenset[str] = frozenset()
    index: str | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)  # why a setting was chosen, by its key


def dialect_of(path: Location, encoding: str | None = None, delimiter: str | None = None) -> Dialect:
    """Detect the dialect of a file, except for what is given.

    Raises `DataError` when the file is empty, or when it is not UTF-8 and no encoding is given.
    """
    text = read_text(path, encoding)
    usual = "\t" if ".tsv" in path.name.lower() else ","
    separator = SEPARATOR_LINE.match(text.start)
    mark = comment_mark(text.start)
    start = without_comments(text.start, mark) if mark else text.start
    start = start[separator.end() - 1 :] if separator else start
    found = delimiter or (separator[1] if separator else _delimiter(start, usual))
    records = list(records_of(start, found))
    if mark and _is_header(text.start, mark, found, records):
        mark, records = None, list(records_of(text.start, found))
    skipped = lines_before_header(records)
    records = [record for record in records if record.before >= skipped]
    names = header_in_comment(text.start, mark, found, records) if mark else None
    header = names or (records[0].cells if records else [])
    if not any(header):
        raise DataError(f"{path.name} is empty")
    footer = _footer(text, mark, found, records)
    rows = [record.cells for record in records[0 if names else 1 :]]
    while rows and is_summary(rows[-1], footer):
        rows.pop()
    columns = dict(zip(header, itertools.zip_longest(*rows, fillvalue=""), strict=False))
    named, unnamed = name_columns(header)
    settings = {
        "delimiter": found if found != usual else None,
        "decimal": "," if found != "," and _decimal_comma(columns.values()) else None,
        "encoding": text.encoding,
        "skip_rows": skipped if skipped > (separator is not None) else None,
        "comment": mark,
        "header": names,
        "skip_footer": footer,
    }
    return Dialect(
        named,
        {key: value for key, value in settings.items() if value},
        frozenset(name for name, cells in columns.items() if _has_leading_zeros(cells)),
        named[0] if named[0] in unnamed and _is_whole(columns[header[0]]) else None,
        {"encoding": text.evidence} if text.evidence else {},
    )


def _footer(text: CsvText, mark: str | None, delimiter: str, records: Sequence[Record]) -> list[str]:
    end = without_comments(text.end, mark) if mark else text.end
    return summary_texts(list(records_of(end, delimiter)), usual_width(records))


def _is_header(text: str, mark: str, delimiter: str, records: Sequence[Record]) -> bool:
    """Return whether the only comment is a first line that names the columns, as in ``#name,city``."""
    first = next(records_of(text, delimiter), None)
    if first is None or not records or records[0].before > first.before + 1:
        return False
    if not len(first.cells) == len(records[0].cells) > 1 or first.cells[0].removeprefix(mark)[:1].isspace():
        return False
    below = [list(cells) for cells in zip(*(record.cells for record in records[1:]), strict=False)]
    names = [cell for cell, cells in zip(records[0].cells, below, strict=False) if all(map(looks_like_number, cells))]
    return all(map(looks_like_number, names))


def _delimiter(text: str, usual: str) -> str:
    """Return the delimiter by which most records have the same number of cells; then, the most cells."""

    def score(delimiter: str) -> tuple[bool, float, int, bool]:
        records = list(itertools.islice(records_of(text, delimiter), EXAMINED))
        width = usual_width(records)
        if width < 2:
            return False, 0.0, 0, delimiter == usual
        header = next(record.cells for record in records if len(record.cells) == width)
        widths = Counter(len(record.cells) for record in records)
        names = not any(NUMBER.fullmatch(cell.strip()) for cell in header)
        return names, widths[width] / len(records), width, delimiter == usual

    return max((usual, *DELIMITERS), key=score)


def _decimal_comma(columns: Any) -> bool:
    """Return whether some columns hold numbers with a decimal comma and none with a decimal point."""
    commas = points = False
    for cells in columns:
        values = [cell.strip() for cell in cells if cell.strip()]
        if not values:
            continue
        with_comma = [value for value in values if COMMA.fullmatch(value)]
        numbers = sum(bool(NUMBER.fullmatch(value)) for value in values) + len(with_comma)
        if numbers >= 0.8 * len(values):
            commas = commas or bool(with_comma)
            points = points or any(POINT.fullmatch(value) for value in values)
    return commas and not points


def _has_leading_zeros(cells: Any) -> bool:
    """Return whether the cells are whole numbers and some have leading zeros, as codes do."""
    values = [cell.strip() for cell in cells if cell.strip()]
    return _is_whole(values) and any(len(value) > 1 and value[0] == "0" for value in values)


def _is_whole(cells: Any) -> bool:
    """Return whether the cells that are not empty hold whole numbers, and there is one."""
    values = [cell.strip() for cell in cells if cell.strip()]
    return bool(values) and all(map(str.isdecimal, values))


def header_is_numbers(header: tuple[str, ...]) -> bool:
    """Return whether the header holds numbers where names of columns should be."""
    return all(NUMBER.fullmatch(name.strip()) for name in header)
