"""Leave out the lines of a CSV file that are no rows: lines before the header, comments, and summary rows at the end.

The line numbers of all other lines stay what they are in the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from nnfs_cli.data.csv.layout import CsvLayout
from nnfs_cli.data.csv.records import count_lines, parse_records
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import shown

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\n|\Z)")
_SEPARATOR_LINE = re.compile(rb"sep=(.)\r?\n", re.IGNORECASE)
Piece = tuple[bytes, int, bool, int]  # bytes, the end of their last record, whether lines end in quotes, first line
Span = tuple[int, int]


def lines_before_header(data: bytes, name: str, layout: CsvLayout) -> int:
    """Return how many lines come before the header: `skip_rows`, or a line such as ``sep=;``, as Excel reads it.

    Raises `DataError` if that line names another delimiter than the config.
    """
    if layout.skip_rows or not (found := _SEPARATOR_LINE.match(data)):
        return layout.skip_rows
    delimiter = found[1].decode("latin-1")
    if delimiter != layout.delimiter:
        advice = f"set  delimiter: {delimiter!r}"
        raise DataError(f"{name}, line 1: the file says that its delimiter is {shown(delimiter)}; {advice}")
    return 1


def end_of_lines(data: bytes, n: int) -> int:
    """Return the position after the first `n` lines, or -1 if there are fewer whole lines."""
    ends = (found.end() for found in _LINE_END.finditer(data))
    return next((end for i, end in enumerate(ends, 1) if i == n), -1) if n else 0


def find_comments(data: bytes, comment: str, delimiter: str) -> list[Span]:
    """Return the places of lines that begin with `comment`, outside of quotes; `data` begins with a line."""
    mark = comment.encode()
    if not (data.startswith(mark) or b"\n" + mark in data or b"\r" + mark in data):
        return []
    before = re.escape(delimiter.encode())
    line = rb"(?:\A|(?<=[\r\n]))(" + re.escape(mark) + rb"[^\r\n]*)"
    quoted = rb"(?:\A|(?<=[\r\n" + before + rb']))"[^"]*(?:""[^"]*)*(?:"|\Z)'
    return [found.span(1) for found in re.finditer(line + b"|" + quoted, data) if found[1] is not None]


def hide(data: bytes, spans: Sequence[Span]) -> bytes:
    """Return the bytes with dashes in place of comments, whose quotes and delimiters mean nothing."""
    hidden = bytearray(data)
    for start, end in spans:
        hidden[start:end] = b"-" * (end - start)
    return bytes(hidden)


def cut(data: bytes, end: int, spans: Sequence[Span]) -> bytes:
    """Return the bytes before `end` with a blank line in place of each comment."""
    starts, ends = [0, *(stop for _, stop in spans)], [*(start for start, _ in spans), end]
    return b"".join(data[start : min(stop, end)] for start, stop in zip(starts, ends, strict=True))


def without_footer(pieces: Iterable[Piece], layout: CsvLayout) -> Iterator[Piece]:
    """Yield pieces of a file without the rows at its end whose first text is one of `skip_footer`."""
    held, line, quoted = b"", 0, False  # rows that are left out unless others follow them
    for data, end, quoted_lines, first in pieces:
        content, line = held + data[:end], line if held else first
        quoted = quoted_lines or (quoted and bool(held))
        stop = _footer_start(content, layout, quoted)
        if stop:
            yield content[:stop], stop, quoted, line
        held, line = content[stop:], line + count_lines(content, stop)


def _footer_start(content: bytes, layout: CsvLayout, quoted_lines: bool) -> int:
    """Return where the summary rows at the end of some whole records begin."""
    if quoted_lines:
        start = 0
        for record in parse_records(content, layout.delimiter):
            start = start if is_summary(record.cells, layout.skip_footer) else record.end
        return start
    stop = len(content)
    while stop:
        begin = 1 + max(content.rfind(mark, 0, len(content[:stop].rstrip(b"\r\n"))) for mark in (b"\n", b"\r"))
        cells = next(
            csv.reader([content[begin:stop].decode("utf-8", "replace").strip("\r\n")], delimiter=layout.delimiter), []
        )
        if cells and not is_summary(cells, layout.skip_footer):
            return stop
        stop = begin
    return stop


def is_summary(cells: Sequence[str], words: Sequence[str]) -> bool:
    """Return whether the first text of a row is one of these words, or begins with one."""
    first = next((cell.strip() for cell in cells if cell.strip()), "")
    rest = {word: first[len(word) :] for word in words if first.startswith(word)}
    return any(not (word[-1].isalnum() and more[:1].isalnum()) for word, more in rest.items())
