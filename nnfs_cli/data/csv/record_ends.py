"""Find where the last whole record of some bytes ends, and refuse quotes that would merge rows."""

from __future__ import annotations

import csv
import re
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.csv.records import CR, END, LF, QUOTE, count_lines, parse_records
from nnfs_cli.errors import DataError


class WholeRecords(NamedTuple):
    """The part of some bytes that consists of whole records."""

    end: int  # where the last whole record ends; -1 without one, or if a quote is open at the end of the file
    quoted_lines: bool  # whether a line may end inside quotes
    is_regular: bool  # whether every cell with quotes begins and ends with one


def find_whole_records(content: bytes, delimiter: str, at_end: bool) -> WholeRecords:
    """Find the whole records in the content; `at_end` says that the file ends with it."""
    if QUOTE not in content:
        return WholeRecords(len(content) if at_end else _last_line_end(content, len(content)), False, True)
    array = np.frombuffer(content, np.uint8)
    quotes = np.flatnonzero(array == ord(QUOTE))
    if not _alternate(array, quotes, delimiter):
        return WholeRecords(_end_by_parsing(content, delimiter, at_end), True, False)
    if at_end:
        end = len(content) if len(quotes) % 2 == 0 else -1
    else:
        end = _last_line_end(content, len(content))
        while end > 0 and (before := int(np.searchsorted(quotes, end))) % 2:
            end = _last_line_end(content, int(quotes[before - 1]))
    if end <= 0:
        return WholeRecords(end, True, True)
    line_ends = np.flatnonzero(array[:end] == ord(LF))
    inside = np.searchsorted(quotes, line_ends) % 2
    if CR in content:
        inside = np.append(inside, np.searchsorted(quotes, np.flatnonzero(array[:end] == ord(CR))) % 2)
    return WholeRecords(end, bool(inside.any()), True)


def _alternate(array: Array, quotes: Array, delimiter: str) -> bool:
    """Return whether quotes alternately open and close: one begins a cell and the next ends it, or both are doubled."""
    opening, closing = quotes[::2], quotes[1::2]
    before, after = array[opening - 1], array[np.minimum(closing + 1, len(array) - 1)]
    begins = (before == ord(delimiter)) | (before == ord(LF)) | (before == ord(CR)) | (opening == 0)
    ends = (after == ord(delimiter)) | (after == ord(LF)) | (after == ord(CR)) | (closing == len(array) - 1)
    doubled = opening[1:] - 1 == closing[: len(opening) - 1]
    begins[1:] |= doubled
    ends[: len(doubled)] |= doubled
    return bool(begins.all() and ends.all())


def _last_line_end(content: bytes, end: int) -> int:
    """Return the position after the last line end before `end`, or -1."""
    place = content.rfind(LF, 0, end)
    if place < 0:
        place = content.rfind(CR, 0, max(end - 1, 0))  # a line feed may follow the last byte
    return place + 1 if place >= 0 else -1


def _end_by_parsing(content: bytes, delimiter: str, at_end: bool) -> int:
    """Return where the last whole record ends, as in `WholeRecords`, where cells contain quotes in the middle."""
    last = 0
    for record in parse_records(content, delimiter):
        if record.is_open:
            return -1 if at_end else last or -1
        if content[record.end - 1 : record.end] == LF or (
            content[record.end - 1 : record.end] == CR and record.end < len(content)
        ):
            last = record.end
    return len(content) if at_end else last or -1


def refuse_torn_quotes(content: bytes, name: str, line: int, delimiter: str) -> None:
    """Raise `DataError` for the first cell that continues after its closing quote.

    Usually a closing quote is missing before it, so that several rows would become one.
    """
    place = 0
    try:
        for record in parse_records(content, delimiter, line, strict=True):
            place = record.end
    except csv.Error:
        mark = re.escape(delimiter.encode())
        whole = re.compile(rb'(?:"[^"]*(?:""[^"]*)*(?:"|\Z)|(?!")[^\r\n%b]*)(%b|\r\n|\r|\n|\Z)' % (mark, mark))
        n_before = 0
        while cell := whole.match(content, place):
            if cell.end() == len(content):  # a quote is open
                return
            place, n_before = cell.end(), n_before + 1 if cell[1] == delimiter.encode() else 0
        where = f"{name}, line {line + count_lines(content, place)}: cell {n_before + 1}"
        torn = re.compile(rb'"[^"]*(?:""[^"]*)*"(;|\t|\||,)').match(content, place)
        advice = f"is the delimiter {torn[1].decode()!r}?" if torn else "write a quote inside a cell twice"
        raise DataError(f"{where} continues after its closing quote; {advice}") from None


def open_quote_error(content: bytes, name: str, line: int, delimiter: str) -> DataError:
    """Return the error about a quote that is never closed, with the line that it opens on."""
    for record in parse_records(content, delimiter, line):
        if record.is_open:
            inside = record.cells[-1].removesuffix(END).encode("utf-8", "surrogateescape")
            before = count_lines(content, record.end) - count_lines(content, record.start)
            line = record.line + before - count_lines(inside, len(inside))
    return DataError(f"{name}, line {line}: a quote is opened and never closed")
