"""Cut a CSV file into blocks of whole records in UTF-8, so that a file of any size is read in the same memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from nnfs_cli.data.csv.byte_stream import ByteStream, RepeatableStdin
from nnfs_cli.data.csv.header import name_columns
from nnfs_cli.data.csv.layout import CsvLayout
from nnfs_cli.data.csv.other_lines import (
    Piece,
    cut,
    end_of_lines,
    find_comments,
    hide,
    lines_before_header,
    without_footer,
)
from nnfs_cli.data.csv.record_ends import find_whole_records, open_quote_error, refuse_torn_quotes
from nnfs_cli.data.csv.records import CR, LF, Record, count_lines, parse_records
from nnfs_cli.data.csv.text_checks import refuse_invalid_text, refuse_other_formats
from nnfs_cli.data.file_source import STDIN, check_names
from nnfs_cli.data.table import ask_delimiter
from nnfs_cli.errors import DataError
from nnfs_cli.system.remote.file import Location
from nnfs_cli.system.wording import counted

BLOCK_BYTES = 4 << 20  # bytes that are read at a time
COLUMNS = 1_000  # for every so many columns, as much again, since each column of a block costs time, but at most
LARGER = 4  # times as much
LONGEST_RECORD = 64 << 20  # bytes


@dataclass(frozen=True)
class Block:
    """Whole records of a file in UTF-8: the first `end` bytes of `data`."""

    file: str
    index: int  # among the blocks of the file
    names: tuple[str, ...]  # of the columns
    line: int  # the first line of the data in the file, from 1
    data: bytes
    end: int
    delimiter: str
    quoted_lines: bool  # whether a line may end inside quotes
    unnamed: frozenset[str] = frozenset()  # columns without a name, which `names` calls by their place

    @property
    def content(self) -> bytes:
        """A copy of the bytes of the records."""
        return self.data[: self.end]

    def records(self) -> Iterator[Record]:
        """Yield every record that is not blank. This is slow and serves messages only."""
        return parse_records(self.content, self.delimiter, self.line)

    def find(self, row: int, name: str) -> tuple[str, str]:
        """Return the place of the cell of a row (from 0), as in "line 7", and the text there."""
        place = self.names.index(name)
        for i, record in enumerate(self.records()):
            if i == row:
                return f"line {record.line}", record.cells[place] if place < len(record.cells) else ""
        raise DataError(f"{self.file} has changed since it was read; start again")

    def lines(self) -> list[int]:
        """Return the first line of each record."""
        if self.quoted_lines or CR in self.content.replace(b"\r\n", b""):
            return [record.line for record in self.records()]
        lines = self.content.split(LF)
        return [self.line + i for i, line in enumerate(lines) if line not in (b"", CR)]

    def refuse_ragged(self) -> None:
        """Raise `DataError` for the first record with more or fewer cells than the header, if there is one."""
        for record in self.records():
            if len(record.cells) != len(self.names):
                raise DataError(self.ragged(record.line, len(record.cells)))

    def ragged(self, line: int, n_cells: int) -> str:
        """Return the message about a record with a wrong number of cells."""
        hint = ask_delimiter(self.names, self.delimiter)
        return f"{self.file}, line {line}: {counted(n_cells, 'cell')} where the header has {len(self.names)}{hint}"


def blocks(path: Location, layout: CsvLayout) -> Iterator[Block]:
    """Yield the blocks of a file: at least one, which may be empty. Raises `DataError` unless the file is a table."""
    name = "stdin" if path == STDIN else path.name
    index, names, start = 0, layout.header, 0
    unnamed: frozenset[str] = frozenset()
    with ByteStream(path, name, layout) as file:
        pieces = _pieces(file, name, layout)
        for data, end, quoted_lines, line in without_footer(pieces, layout) if layout.skip_footer else pieces:
            refuse_invalid_text(data, end, name, line, names, layout.delimiter)
            if names is None:
                names, unnamed, start = _header(data[:end], name, layout.delimiter)
                line += count_lines(data, start if names else end)
                if names is None:
                    continue
            if start:
                data, end, start = data[start:], end - start, 0
            yield Block(name, index, names, line, data, end, layout.delimiter, quoted_lines, unnamed)
            index += 1
    if index == 0:
        raise DataError(f"{name} is empty")


def _pieces(file: ByteStream, name: str, layout: CsvLayout) -> Iterator[Piece]:
    """Yield pieces of a file as bytes that begin with a record.

    With each come the end of its last complete record, whether lines may end inside quotes, and its first line number.
    """
    data, line, skip, at_end, size = b"", 1, -1, False, BLOCK_BYTES
    while not at_end:
        new = file.read(size)
        at_end = not new
        data = data + new if data else new
        if skip < 0:
            refuse_other_formats(data, name, layout)
            data = data.removeprefix(codecs.BOM_UTF8)
            skip = lines_before_header(data, name, layout)
            n_columns = data.partition(b"\n")[0].count(layout.delimiter.encode())
            size = BLOCK_BYTES * min(max(n_columns // COLUMNS, 1), LARGER)
        if skip:
            start = end_of_lines(data, skip)
            if start < 0:
                continue
            data, line, skip = data[start:], 1 + skip, 0
        comments = find_comments(data, layout.comment, layout.delimiter) if layout.comment else []
        content = hide(data, comments) if comments else data
        end, quoted_lines, is_regular = find_whole_records(content, layout.delimiter, at_end)
        if not is_regular and (end > 0 or at_end):
            refuse_torn_quotes(content[:end] if end > 0 else content, name, line, layout.delimiter)
        if end < 0 and at_end:
            raise open_quote_error(content, name, line, layout.delimiter)
        if end < 0 and len(data) > LONGEST_RECORD:
            raise _endless(content, name, line, layout.delimiter)
        if end > 0:
            records = cut(data, end, comments) if comments else data
            yield records, len(records) if comments else end, quoted_lines, line
            line += count_lines(data, end)
            file.unread(data, end)
            data = b""


def _endless(content: bytes, name: str, line: int, delimiter: str) -> DataError:
    if any(record.is_open for record in parse_records(content, delimiter, line)):
        return open_quote_error(content, name, line, delimiter)
    return DataError(f"{name}, line {line}: this line has more than {LONGEST_RECORD >> 20} MB; is this a text file?")


def _header(content: bytes, name: str, delimiter: str) -> tuple[tuple[str, ...] | None, frozenset[str], int]:
    """Return the names of the columns, those that the file does not name, and where the first row begins.

    The names are None if all lines are blank.
    """
    record = next(parse_records(content, delimiter), None)
    if record is None:
        return None, frozenset(), 0
    names, unnamed = name_columns(record.cells)
    check_names(names, name)
    return names, unnamed, record.end


def names_in(path: Location, layout: CsvLayout) -> tuple[str, ...]:
    """Return the names of the columns."""
    if path == STDIN:
        RepeatableStdin.repeat_next_read()
    reading = blocks(path, layout)
    try:
        return next(reading).names
    finally:
        reading.close()  # type: ignore[attr-defined]
