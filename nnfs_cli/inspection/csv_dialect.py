"""How a CSV file seems to be written: by which character its cells are divided, and how its numbers are.

Only what shows itself plainly is inferred. An encoding does not: a file that is not UTF-8 is refused with advice.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnfs_cli.data.table import NUMBER
from nnfs_cli.errors import DataError

SAMPLE = 1 << 18  # bytes that are looked at
DELIMITERS = (",", ";", "\t", "|")  # where two do equally well, the first of them
POINT = re.compile(r"[-+]?[0-9]*\.[0-9]+")
COMMA = re.compile(r"[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?")
UNIX_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Dialect:
    """What was found at the start of a file; None where it is what a CSV file has anyway."""

    header: tuple[str, ...]
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    zeros: frozenset[str] = frozenset()  # columns with numbers such as 0815, which are codes

    @property
    def settings(self) -> dict[str, str]:
        """As a config says it."""
        found = {"delimiter": self.delimiter, "decimal": self.decimal, "encoding": self.encoding}
        return {key: value for key, value in found.items() if value is not None}


def dialect_of(path: Path, encoding: str | None = None, delimiter: str | None = None) -> Dialect:
    """How the file is written, as far as it was not said.

    Raises `DataError` when it is not UTF-8 and no encoding was given, or empty.
    """
    lines = _start(path, encoding)
    usual = "\t" if ".tsv" in path.name.lower() else ","
    divider = delimiter or _delimiter(lines, usual)
    header, *records = list(_records(lines, divider)) or [[]]
    if not any(header):
        raise DataError(f"{path.name} is empty")
    columns = dict(zip(header, itertools.zip_longest(*records, fillvalue=""), strict=False))
    return Dialect(
        tuple(header),
        divider if divider != usual else None,
        "," if divider != "," and _decimal_comma(columns.values()) else None,
        encoding,
        frozenset(name for name, cells in columns.items() if _zeros(cells)),
    )


def _start(path: Path, encoding: str | None) -> str:
    """The first lines; the whole file is gone through for bytes that are not UTF-8."""
    decoder = _decoder(path.name, encoding)
    n_lines = 0
    with _open(path) as file:
        block = file.read(SAMPLE)
        whole = len(block) < SAMPLE
        if encoding is None:
            _refuse_others(path.name, block)
        try:
            text: str = decoder.decode(block, final=whole)
            while encoding is None and not whole:
                n_lines += block.count(b"\n")
                block = file.read(1 << 22)
                decoder.decode(block, final=not block)
                if not block:
                    break
        except UnicodeDecodeError as error:
            if encoding is not None:
                raise DataError(f"{path.name} is not encoded in {encoding}: {error.reason}") from None
            line = 1 + n_lines + error.object[: error.start].count(b"\n")
            raise DataError(
                f"{path.name}, line {line}: this is not UTF-8; a file that was written on Windows may be read with"
                " --encoding cp1252, others with the name of their own encoding there; or save it as UTF-8"
            ) from None
    text = text.removeprefix("\ufeff")
    return text if whole else text[: text.rfind("\n") + 1]


def _open(path: Path) -> Any:
    """The file, or what is packed in it."""
    import pyarrow as pa

    try:
        return pa.input_stream(str(path))
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
            raise DataError(f"{path}: {error.strerror or error}") from None
        raise DataError(f"{path.name} cannot be read: {error}") from None


def _refuse_others(name: str, start: bytes) -> None:
    if start.startswith(UNIX_BOMS) or b"\0" in start[:1000]:
        raise DataError(f"{name} seems to be encoded in UTF-16; read it with --encoding utf-16, or save it as UTF-8")
    if start.startswith(b"PAR1"):
        raise DataError(f"{name} is a Parquet file; its name should end in .parquet")


def _decoder(name: str, encoding: str | None) -> Any:
    try:
        return codecs.getincrementaldecoder(encoding or "utf-8-sig")()
    except LookupError:
        raise DataError(
            f"{name}: there is no encoding '{encoding}'; there are utf-8, cp1252, latin-1, utf-16"
        ) from None


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(1 << 30)
    try:
        yield from (record for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if record)
    except csv.Error:
        return


def _delimiter(text: str, usual: str) -> str:
    """By which most records have as many cells as the first; of several such, the one that makes the most cells."""

    def merit(delimiter: str) -> tuple[float, int, bool]:
        widths = [len(record) for record in itertools.islice(_records(text, delimiter), 500)]
        if not widths or widths[0] < 2:
            return 0.0, 0, delimiter == usual
        return Counter(widths)[widths[0]] / len(widths), widths[0], delimiter == usual

    return max((usual, *DELIMITERS), key=merit)


def _decimal_comma(columns: Any) -> bool:
    """Whether there are columns of numbers with a comma, and none with a point."""
    commas = points = False
    for cells in columns:
        words = [cell.strip() for cell in cells if cell.strip()]
        if not words:
            continue
        with_comma = [word for word in words if COMMA.fullmatch(word)]
        numbers = sum(bool(NUMBER.fullmatch(word)) for word in words) + len(with_comma)
        if numbers >= 0.8 * len(words):
            commas = commas or bool(with_comma)
            points = points or any(POINT.fullmatch(word) for word in words)
    return commas and not points


def _zeros(cells: Any) -> bool:
    """Whether whole numbers are written with zeros before them, as codes are."""
    words = [cell.strip() for cell in cells if cell.strip()]
    return bool(words) and all(map(str.isdecimal, words)) and any(len(word) > 1 and word[0] == "0" for word in words)


def no_names(header: tuple[str, ...]) -> bool:
    """Whether what should be the names of columns are numbers."""
    return all(NUMBER.fullmatch(name.strip()) for name in header)
