"""Parse the records of a block one by one. This is slow and serves messages and irregular files only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

QUOTE, LF, CR = b'"', b"\n", b"\r"
END = "\0"  # marks the end of the content; a file that contains it is refused


class Record(NamedTuple):
    """One record of a block: its first line, its bytes `start:end`, its cells, and whether a quote stays open."""

    line: int
    start: int
    end: int
    cells: list[str]
    is_open: bool


def parse_records(content: bytes, delimiter: str, line: int = 1, strict: bool = False) -> Iterator[Record]:
    """Yield every record that is not blank; the content begins with this line.

    With `strict`, raises `csv.Error` for a cell that continues after its closing quote and for an open quote.
    """
    csv.field_size_limit(1 << 30)
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        # In Latin-1 a character is a byte, so positions in the text are positions in the content.
        for text in io.TextIOWrapper(io.BytesIO(content), "latin-1", newline=""):
            end += len(text)
            yield text
        yield END

    ascii_only = content.isascii()
    reader = csv.reader(lines(), delimiter=delimiter, strict=strict)
    start, first = 0, line
    for cells in reader:
        if cells == [END]:
            return
        is_open = bool(cells) and cells[-1].endswith(END)
        if cells:
            if not ascii_only:
                cells = [cell.encode("latin-1").decode("utf-8", "surrogateescape") for cell in cells]
            yield Record(first, start, end, cells, is_open)
        start, first = end, line + reader.line_num


def count_lines(data: bytes, end: int) -> int:
    """Return the number of lines that end in `data[:end]`."""
    array = np.frombuffer(data, np.uint8, end)
    n = int(np.count_nonzero(array == ord(LF)))
    if data.find(CR, 0, end) >= 0:
        returns = np.flatnonzero(array == ord(CR))
        n += int(np.count_nonzero(array[np.minimum(returns + 1, end - 1)] != ord(LF)))
    return n
