"""Refuse files that are not text in UTF-8, with advice."""

from __future__ import annotations

import codecs
import re

from nnfs_cli.data.csv.layout import CsvLayout
from nnfs_cli.data.csv.records import count_lines, parse_records
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import named, shown

_OTHER_FORMATS = {
    b"PAR1": "is a Parquet file, but its name says CSV; its name should end in .parquet",
    b"PK\x03\x04": "is a ZIP or Excel file, not CSV; save the table as CSV",
    b"\x1f\x8b": "is compressed; its name should end in .gz",
    b"\x28\xb5\x2f\xfd": "is compressed; its name should end in .zst",
}


def refuse_other_formats(content: bytes, name: str, layout: CsvLayout) -> None:
    """Raise `DataError` if the first bytes of a file show another format or a wide encoding."""
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
    raise DataError(f"{name} is encoded in {wide}; set  encoding: {encoding}  or save it as UTF-8")


def refuse_utf8(content: bytes, name: str, layout: CsvLayout) -> None:
    """Raise `DataError` if the first bytes of a file, which is read byte by byte as characters, are text in UTF-8.

    Texts in an encoding of single bytes are hardly ever valid UTF-8, unless they are ASCII.
    """
    if content.isascii() or not layout.has_single_bytes:
        return
    try:
        text = codecs.utf_8_decode(content, "strict", False)[0]
    except UnicodeDecodeError:
        return
    if text.isascii():
        return
    found = re.search(r"\w*[^\W\x00-\x7f]\w*", text)
    word = found[0][:20] if found else ""
    wrong = f", which makes {shown(word.encode().decode(layout.encoding, 'replace'))} of {shown(word)}" if word else ""
    advice = f"save it as {layout.encoding}, or set  encoding: utf-8  where all files are UTF-8"
    raise DataError(f"{name} is encoded in UTF-8, but is read as {layout.encoding}{wrong}; {advice}")


def refuse_invalid_text(
    data: bytes, end: int, name: str, line: int, names: tuple[str, ...] | None, delimiter: str
) -> None:
    """Raise `DataError` if `data[:end]`, which begins at this line, is not UTF-8 or holds a zero byte.

    `names` are the columns, or None before the header has been read.
    """
    place = data.find(0, 0, end)
    if place >= 0:
        at = line + count_lines(data, place)
        raise DataError(f"{name}, line {at}: found a zero byte, which no text contains; is the file UTF-16?")
    if data.isascii():
        return
    try:
        codecs.utf_8_decode(memoryview(data)[:end], "strict", True)
        return
    except UnicodeDecodeError as error:
        place = error.start
    advice = "save the file as UTF-8, or set its encoding, as in  encoding: cp1252"
    for record in parse_records(data[:end], delimiter, line):
        if names is None:
            names = tuple(record.cells)
            if record.end > place:
                raise DataError(f"{name}, line {record.line}: the header is not UTF-8; {advice}")
        elif record.end > place:
            wrong = [i for i, cell in enumerate(record.cells) if any("\udc80" <= c <= "\udcff" for c in cell)]
            column = f"column {named(names[wrong[0]])}" if wrong and wrong[0] < len(names) else "this"
            raise DataError(f"{name}, line {record.line}: {column} is not UTF-8; {advice}")
    raise DataError(f"{name} is not UTF-8; {advice}")
