"""CSV as blocks of bytes in UTF-8, each of whole records, so that a file of any size is read in the same memory."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.file_source import STDIN, check_names
from nnfs_cli.data.table import ask_delimiter
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import counted

BLOCK = 4 << 20  # bytes that are read at a time
BUFFER = 1 << 20  # bytes that are taken from a pipe or a file that is not read as it is
LONGEST = 64 << 20  # bytes of one record
QUOTE, LF, CR = b'"', b"\n", b"\r"
_END = "\0"  # stands in no file that is read
_OTHER_FORMATS = {
    b"PAR1": "is a Parquet file, and is read as CSV; its name should end in .parquet",
    b"PK\x03\x04": "is a ZIP or Excel file, and no CSV; save the table as CSV",
    b"\x1f\x8b": "is compressed; its name should end in .gz",
    b"\x28\xb5\x2f\xfd": "is compressed; its name should end in .zst",
}


@dataclass(frozen=True)
class CsvLayout:
    """How the cells of a file are written one after the other."""

    delimiter: str = ","
    encoding: str = "utf-8"
    header: tuple[str, ...] | None = None  # the names of the columns, where the first line does not say them

    @property
    def is_utf8(self) -> bool:
        """Whether the bytes can be read as they are."""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")


class Record(NamedTuple):
    """One record of a block: the line it begins on, its bytes, its cells, and whether a quote stays open."""

    line: int
    start: int
    end: int
    cells: list[str]
    is_open: bool


@dataclass(frozen=True)
class Block:
    """Whole records of a file, in UTF-8: the `data` up to `end`."""

    file: str
    index: int  # among the blocks of the file
    names: tuple[str, ...]  # of the columns
    line: int  # of the file, from 1, that the data begins with
    data: bytes
    end: int
    delimiter: str
    quoted_lines: bool  # whether lines may end inside of quotes

    @property
    def content(self) -> bytes:
        """A copy of the records alone."""
        return self.data[: self.end]

    def records(self) -> Iterator[Record]:
        """Every record that is not blank; slow, and only for messages."""
        return _records(self.content, self.delimiter, self.line)

    def find(self, row: int, name: str) -> tuple[str, str]:
        """Where the cell of a row (from 0) stands, and what is written there."""
        place = self.names.index(name)
        for i, record in enumerate(self.records()):
            if i == row:
                return f"line {record.line}", record.cells[place] if place < len(record.cells) else ""
        raise DataError(f"{self.file} is no longer what it was when it was read")

    def lines(self) -> list[int]:
        """The line that each record begins on."""
        if self.quoted_lines or CR in self.content.replace(b"\r\n", b""):
            return [record.line for record in self.records()]
        lines = self.content.split(LF)
        return [self.line + i for i, line in enumerate(lines) if line not in (b"", CR)]

    def refuse_ragged(self) -> None:
        """Raise `DataError` for the first record that has more or fewer cells than the header, if there is one."""
        for record in self.records():
            if len(record.cells) != len(self.names):
                raise DataError(self.ragged(record.line, len(record.cells)))

    def ragged(self, line: int, n_cells: int) -> str:
        """What to say of a record with that many cells."""
        hint = ask_delimiter(self.names[0]) if len(self.names) == 1 else ""
        return f"{self.file}, line {line}: {counted(n_cells, 'cell')} where the header has {len(self.names)}{hint}"


def blocks(path: Path, layout: CsvLayout) -> Iterator[Block]:
    """The blocks of a file; at least one, which may be empty. Raises `DataError` where it is no table in UTF-8."""
    name = "stdin" if path == STDIN else path.name
    index, names, start = 0, layout.header, 0
    with _Bytes(path, name, layout) as file:
        for data, end, quoted_lines, line in _pieces(file, name, layout):
            _check_text(data, end, name, line, names, layout)
            if names is None:
                names, start = _header(data[:end], name, layout.delimiter)
                line += _n_lines(data, start if names else end)
                if names is None:
                    continue
            if start:
                data, end, start = data[start:], end - start, 0
            yield Block(name, index, names, line, data, end, layout.delimiter, quoted_lines)
            index += 1
    if index == 0:
        raise DataError(f"{name} is empty")


def _pieces(file: _Bytes, name: str, layout: CsvLayout) -> Iterator[tuple[bytes, int, bool, int]]:
    """Bytes that begin with a record, where their last whole record ends, whether lines end inside of quotes, and the
    line that they begin with.
    """
    data, line, first, at_end = b"", 1, True, False
    while not at_end:
        new = file.read(BLOCK)
        at_end = not new
        data = data + new if data else new
        if first:
            _refuse_other_formats(data, name, layout)
            data, first = data.removeprefix(codecs.BOM_UTF8), False
        end, quoted_lines, orderly = _whole_records(data, layout.delimiter, at_end)
        if not orderly and (end > 0 or at_end):
            _refuse_torn_quotes(data[:end] if end > 0 else data, name, line, layout.delimiter)
        if end < 0 and at_end:
            raise _open_quote(data, name, line, layout.delimiter)
        if end < 0 and len(data) > LONGEST:
            raise _endless(data, name, line, layout.delimiter)
        if end > 0:
            yield data, end, quoted_lines, line
            line += _n_lines(data, end)
            file.unread(data, end)
            data = b""


def names_in(path: Path, layout: CsvLayout) -> tuple[str, ...]:
    """The names of the columns."""
    if path == STDIN:
        _Stdin.look_ahead()
    reading = blocks(path, layout)
    try:
        return next(reading).names
    finally:
        reading.close()  # type: ignore[attr-defined]


class _Stdin:
    """The standard input, whose start may be read a second time after one has looked at its header."""

    ahead = b""
    looked = False

    @classmethod
    def look_ahead(cls) -> None:
        """Let what is read next be read again."""
        cls.looked = True

    @classmethod
    def read(cls, n: int) -> bytes:
        """About `n` bytes; none at the end."""
        if cls.ahead:
            found, cls.ahead = cls.ahead, b""
            return found
        found = sys.stdin.buffer.read(n)
        if cls.looked:
            cls.ahead, cls.looked = found, False
        return found


class _Bytes:
    """The content of a file in UTF-8: decompressed by its suffix, and encoded anew where it has to be."""

    def __init__(self, path: Path, name: str, layout: CsvLayout) -> None:
        self.path, self.name, self.layout = path, name, layout
        self.compression = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower(), "")
        self._decoder = None if layout.is_utf8 else codecs.getincrementaldecoder(layout.encoding)()
        self._line = 1
        self._ahead = b""
        self._read: Callable[[int], bytes]
        self._seek: Callable[[int, int], object] | None = None
        self._close: list[Callable[[], object]] = []

    def __enter__(self) -> _Bytes:
        if self.path == STDIN:
            self._read = _Stdin.read
            return self
        plain = self.path.is_file() and not self.compression and self._decoder is None
        raw = self.path.open("rb", buffering=0 if plain else BUFFER)
        self._read, self._seek, self._close = raw.read, raw.seek if plain else None, [raw.close]
        if self.compression:
            import pyarrow as pa

            stream = pa.CompressedInputStream(raw, self.compression)
            self._read, self._close = stream.read, [stream.close, raw.close]
        return self

    def __exit__(self, *_: object) -> None:
        for close in self._close:
            close()

    def read(self, n: int) -> bytes:
        """About `n` bytes; none at the end of the file."""
        ahead, self._ahead = self._ahead, b""
        return ahead + self._next(n) if ahead else self._next(n)

    def unread(self, data: bytes, end: int) -> None:
        """What was read, and is to be read again from some place on."""
        if self._seek is not None:
            self._seek(end - len(data), 1)
        else:
            self._ahead = data[end:]

    def _next(self, n: int) -> bytes:
        try:
            content = self._read(n)
        except OSError as error:
            if error.errno or not self.compression:
                raise
            kind = "gzip" if self.compression == "gzip" else "Zstandard"
            raise DataError(f"{self.name} is not a whole {kind} file: {str(error).splitlines()[0]}") from None
        if self._decoder is None:
            return content
        text = self._decoded(self._decoder, content)
        while content and not text:  # a part of a character
            content = self._read(n)
            text = self._decoded(self._decoder, content)
        self._line += text.count("\n")
        return text.encode()

    def _decoded(self, decoder: codecs.IncrementalDecoder, content: bytes) -> str:
        try:
            return decoder.decode(content, not content)
        except UnicodeError as error:
            line, encoding = self._line, self.layout.encoding
            if isinstance(error, UnicodeDecodeError):
                line += error.object[: error.start].decode(encoding, "ignore").count("\n")
            raise DataError(f"{self.name}, line {line}: this is not {encoding}; say which encoding it has") from None


def _refuse_other_formats(content: bytes, name: str, layout: CsvLayout) -> None:
    if not layout.is_utf8:
        return
    for start, what in _OTHER_FORMATS.items():
        if content.startswith(start):
            raise DataError(f"{name} {what}")
    wide = "UTF-32" if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) else "UTF-16"
    sample = content[:1000]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        encoding = wide.lower()
    elif sample.count(0) * 4 > len(sample):
        encoding = "utf-16-be" if sample.startswith(b"\0") else "utf-16-le"
    else:
        return
    raise DataError(f"{name} is encoded in {wide}; say so with  encoding: {encoding}  or save it as UTF-8")


def _check_text(data: bytes, end: int, name: str, line: int, names: tuple[str, ...] | None, layout: CsvLayout) -> None:
    """Raise `DataError` where the bytes up to `end` are not UTF-8."""
    place = data.find(0, 0, end)
    if place >= 0:
        at = line + _n_lines(data, place)
        raise DataError(f"{name}, line {at}: there is a zero byte, which no text has; is it UTF-16?")
    if data.isascii():
        return
    try:
        codecs.utf_8_decode(memoryview(data)[:end], "strict", True)
        return
    except UnicodeDecodeError as error:
        place = error.start
    advice = "save the file with that encoding, or say which it has, as in  encoding: cp1252"
    for record in _records(data[:end], layout.delimiter, line):
        if names is None:
            names = tuple(record.cells)
            if record.end > place:
                raise DataError(f"{name}, line {record.line}: the header is not UTF-8; {advice}")
        elif record.end > place:
            wrong = [i for i, cell in enumerate(record.cells) if any("\udc80" <= c <= "\udcff" for c in cell)]
            column = f"column '{names[wrong[0]]}'" if wrong and wrong[0] < len(names) else "this"
            raise DataError(f"{name}, line {record.line}: {column} is not UTF-8; {advice}")
    raise DataError(f"{name} is not UTF-8; {advice}")


def _n_lines(data: bytes, end: int) -> int:
    """How many lines end in the data up to `end`."""
    array = np.frombuffer(data, np.uint8, end)
    n = int(np.count_nonzero(array == ord(LF)))
    if data.find(CR, 0, end) >= 0:
        returns = np.flatnonzero(array == ord(CR))
        n += int(np.count_nonzero(array[np.minimum(returns + 1, end - 1)] != ord(LF)))
    return n


def _header(content: bytes, name: str, delimiter: str) -> tuple[tuple[str, ...] | None, int]:
    """The names of the columns, and where the first row begins; None where all is blank."""
    record = next(_records(content, delimiter), None)
    if record is None:
        return None, 0
    check_names(record.cells, name)
    return tuple(record.cells), record.end


def _records(content: bytes, delimiter: str, line: int = 1, strict: bool = False) -> Iterator[Record]:
    """Every record that is not blank. A strict reader raises `csv.Error` for torn quotes, and for open ones."""
    csv.field_size_limit(1 << 30)
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        # A character a byte, so that places are those of the bytes.
        for text in io.TextIOWrapper(io.BytesIO(content), "latin-1", newline=""):
            end += len(text)
            yield text
        yield _END

    ascii_only = content.isascii()
    reader = csv.reader(lines(), delimiter=delimiter, strict=strict)
    start, first = 0, line
    for cells in reader:
        if cells == [_END]:
            return
        is_open = bool(cells) and cells[-1].endswith(_END)
        if cells:
            if not ascii_only:
                cells = [cell.encode("latin-1").decode("utf-8", "surrogateescape") for cell in cells]
            yield Record(first, start, end, cells, is_open)
        start, first = end, line + reader.line_num


def _whole_records(content: bytes, delimiter: str, at_end: bool) -> tuple[int, bool, bool]:
    """Where the last whole record ends, whether any line before ends inside of quotes, and whether cells with quotes
    begin and end with them.

    -1 where there is no whole record, or at the end of the file an open quote.
    """
    if QUOTE not in content:
        return len(content) if at_end else _last_line_end(content, len(content)), False, True
    array = np.frombuffer(content, np.uint8)
    quotes = np.flatnonzero(array == ord(QUOTE))
    if not _take_turns(array, quotes, delimiter):
        return _slowly(content, delimiter, at_end), True, False
    if at_end:
        end = len(content) if len(quotes) % 2 == 0 else -1
    else:
        end = _last_line_end(content, len(content))
        while end > 0 and (before := int(np.searchsorted(quotes, end))) % 2:
            end = _last_line_end(content, int(quotes[before - 1]))
    if end <= 0:
        return end, True, True
    line_ends = np.flatnonzero(array[:end] == ord(LF))
    inside = np.searchsorted(quotes, line_ends) % 2
    if CR in content:
        inside = np.append(inside, np.searchsorted(quotes, np.flatnonzero(array[:end] == ord(CR))) % 2)
    return end, bool(inside.any()), True


def _take_turns(array: Array, quotes: Array, delimiter: str) -> bool:
    """Whether quotes open and close by turns: one begins a cell and the next ends it, unless both are a doubled one."""
    opening, closing = quotes[::2], quotes[1::2]
    before, after = array[opening - 1], array[np.minimum(closing + 1, len(array) - 1)]
    begins = (before == ord(delimiter)) | (before == ord(LF)) | (before == ord(CR)) | (opening == 0)
    ends = (after == ord(delimiter)) | (after == ord(LF)) | (after == ord(CR)) | (closing == len(array) - 1)
    doubled = opening[1:] - 1 == closing[: len(opening) - 1]
    begins[1:] |= doubled
    ends[: len(doubled)] |= doubled
    return bool(begins.all() and ends.all())


def _refuse_torn_quotes(content: bytes, name: str, line: int, delimiter: str) -> None:
    """Raise `DataError` for the first cell that goes on behind its closing quote, as where one that should close is
    missing: rows would become one.
    """
    place = 0
    try:
        for record in _records(content, delimiter, line, strict=True):
            place = record.end
    except csv.Error:
        mark = re.escape(delimiter.encode())
        whole = re.compile(rb'(?:"[^"]*(?:""[^"]*)*(?:"|\Z)|(?!")[^\r\n%b]*)(%b|\r\n|\r|\n|\Z)' % (mark, mark))
        n_before = 0
        while cell := whole.match(content, place):
            if cell.end() == len(content):  # within a quote that is open
                return
            place, n_before = cell.end(), n_before + 1 if cell[1] == delimiter.encode() else 0
        where = f"{name}, line {line + _n_lines(content, place)}: cell {n_before + 1}"
        why = "goes on behind its closing quote; a quote inside of a cell is written twice"
        raise DataError(f"{where} {why}") from None


def _last_line_end(content: bytes, end: int) -> int:
    """The place behind the last line end before `end`; -1 where there is none."""
    place = content.rfind(LF, 0, end)
    if place < 0:
        place = content.rfind(CR, 0, max(end - 1, 0))  # a line feed may be still to come behind the last byte
    return place + 1 if place >= 0 else -1


def _slowly(content: bytes, delimiter: str, at_end: bool) -> int:
    """The same as `_whole_records`, where quotes stand in the middle of cells."""
    last = 0
    for record in _records(content, delimiter):
        if record.is_open:
            return -1 if at_end else last or -1
        if content[record.end - 1 : record.end] == LF or (
            content[record.end - 1 : record.end] == CR and record.end < len(content)
        ):
            last = record.end
    return len(content) if at_end else last or -1


def _endless(content: bytes, name: str, line: int, delimiter: str) -> DataError:
    for record in _records(content, delimiter, line):
        if record.is_open:
            return _open_quote(content, name, line, delimiter)
    return DataError(f"{name}, line {line}: a line of more than {LONGEST >> 20} MB begins here; is it a text file?")


def _open_quote(content: bytes, name: str, line: int, delimiter: str) -> DataError:
    for record in _records(content, delimiter, line):
        if record.is_open:
            inside = record.cells[-1].removesuffix(_END).encode("utf-8", "surrogateescape")
            before = _n_lines(content, record.end) - _n_lines(content, record.start)
            line = record.line + before - _n_lines(inside, len(inside))
    return DataError(f"{name}, line {line}: a quote is opened and never closed")
