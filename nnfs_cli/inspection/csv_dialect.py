"""Detect how a CSV file is written: its delimiter and its decimal mark.

The cells show both. They do not show the encoding, so a file that is not UTF-8 is refused with advice.
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

from nnfs_cli.data.numbers import NUMBER
from nnfs_cli.errors import DataError

SAMPLE = 1 << 18  # bytes of the file that are examined
DELIMITERS = (",", ";", "\t", "|")  # of two that fit equally well, the first one wins
POINT = re.compile(r"[-+]?[0-9]*\.[0-9]+")
COMMA = re.compile(r"[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?")
UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Dialect:
    """The dialect found at the start of a file. None means the default of a CSV file."""

    header: tuple[str, ...]
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    code_columns: frozenset[str] = frozenset()  # columns of codes with leading zeros, such as 0815

    @property
    def settings(self) -> dict[str, str]:
        """The dialect as settings of a config."""
        found = {"delimiter": self.delimiter, "decimal": self.decimal, "encoding": self.encoding}
        return {key: value for key, value in found.items() if value is not None}


def dialect_of(path: Path, encoding: str | None = None, delimiter: str | None = None) -> Dialect:
    """Detect the dialect of a file, except for what is given.

    Raises `DataError` when the file is empty, or when it is not UTF-8 and no encoding is given.
    """
    lines = _start(path, encoding)
    usual = "\t" if ".tsv" in path.name.lower() else ","
    delimiter_found = delimiter or _delimiter(lines, usual)
    header, *records = list(_records(lines, delimiter_found)) or [[]]
    if not any(header):
        raise DataError(f"{path.name} is empty")
    columns = dict(zip(header, itertools.zip_longest(*records, fillvalue=""), strict=False))
    return Dialect(
        tuple(header),
        delimiter_found if delimiter_found != usual else None,
        "," if delimiter_found != "," and _decimal_comma(columns.values()) else None,
        encoding,
        frozenset(name for name, cells in columns.items() if _has_leading_zeros(cells)),
    )


def _start(path: Path, encoding: str | None) -> str:
    """Return the first lines. Without an encoding, check that the whole file is UTF-8."""
    decoder = _decoder(path.name, encoding)
    n_lines = 0
    with _open(path) as file:
        block = file.read(SAMPLE)
        whole = len(block) < SAMPLE
        if encoding is None:
            _refuse_other_formats(path.name, block)
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
                f"{path.name}, line {line}: this is not UTF-8. Read a file from Windows with --encoding cp1252, or name"
                " another encoding there, or save the file as UTF-8"
            ) from None
    text = text.removeprefix("\ufeff")
    return text if whole else text[: text.rfind("\n") + 1]


def _open(path: Path) -> Any:
    """Open the file and decompress it if it is compressed."""
    import pyarrow as pa

    try:
        return pa.input_stream(str(path))
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
            raise DataError(f"{path}: {error.strerror or error}") from None
        raise DataError(f"{path.name} cannot be read: {error}") from None


def _refuse_other_formats(name: str, start: bytes) -> None:
    if start.startswith(UTF16_BOMS) or b"\0" in start[:1000]:
        raise DataError(f"{name} seems to be encoded in UTF-16. Read it with --encoding utf-16, or save it as UTF-8")
    if start.startswith(b"PAR1"):
        raise DataError(f"{name} is a Parquet file. Rename it so that its name ends in .parquet")


def _decoder(name: str, encoding: str | None) -> Any:
    try:
        return codecs.getincrementaldecoder(encoding or "utf-8-sig")()
    except LookupError:
        raise DataError(
            f"{name}: there is no encoding '{encoding}'. Common ones are utf-8, cp1252, latin-1 and utf-16"
        ) from None


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(1 << 30)
    try:
        yield from (record for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if record)
    except csv.Error:
        return


def _delimiter(text: str, usual: str) -> str:
    """Return the delimiter by which most records have the same number of cells as the first; then, the most cells."""

    def score(delimiter: str) -> tuple[float, int, bool]:
        widths = [len(record) for record in itertools.islice(_records(text, delimiter), 500)]
        if not widths or widths[0] < 2:
            return 0.0, 0, delimiter == usual
        return Counter(widths)[widths[0]] / len(widths), widths[0], delimiter == usual

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
    return (
        bool(values) and all(map(str.isdecimal, values)) and any(len(value) > 1 and value[0] == "0" for value in values)
    )


def header_is_numbers(header: tuple[str, ...]) -> bool:
    """Return whether the header holds numbers where names of columns should be."""
    return all(NUMBER.fullmatch(name.strip()) for name in header)
