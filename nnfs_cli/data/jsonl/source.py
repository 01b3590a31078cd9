"""Data sets in files of JSON lines (jsonlines.org): each line is an object, whose keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nnfs_cli.data.csv.byte_stream import ByteStream
from nnfs_cli.data.csv.layout import CsvLayout
from nnfs_cli.data.python_columns import ColumnError, to_arrow_column
from nnfs_cli.data.spooled_file import SpooledFile
from nnfs_cli.data.spooled_rows import json_of, to_nested
from nnfs_cli.errors import DataError
from nnfs_cli.system.remote.file import Location
from nnfs_cli.system.wording import named, shown, type_of

BLOCK_BYTES = 4 << 20  # bytes that are parsed at a time
LONGEST_LINE = 64 << 20  # bytes


class JsonLines(SpooledFile, name="jsonl", main="path"):
    """A file of JSON lines, in which each line is an object, or several files; also `.gz` and `.zst`.

    The keys are the columns. A key that a line lacks is an empty cell there, as is null. A column of texts that are all
    dates is a column of dates; one that mixes numbers and texts is of texts, and a list or an object among them is its
    text in JSON.
    """

    examples = ("jsonl: {path: houses.jsonl, target: price}", "jsonl: {path: part-*.jsonl.gz, target: price}")
    suffixes = tuple(kind + packed for kind in (".jsonl", ".ndjson") for packed in ("", ".gz", ".zst"))

    def _tables(self, path: Location) -> Iterator[tuple[Any, Mapping[int, str]]]:
        parser, line = _Parser(path.name), 1
        with ByteStream(path, path.name, CsvLayout()) as file:
            for block in _blocks(file, path.name):
                table, faults = parser.parse(block, line)
                line += block.count(b"\n")
                if table.num_rows:
                    yield table, faults


def _blocks(file: ByteStream, name: str) -> Iterator[bytes]:
    """Yield pieces of a file that end with a line."""
    rest = b""
    while new := file.read(BLOCK_BYTES):
        head, end, tail = new.rpartition(b"\n")
        if end:
            yield rest + head + end
            rest = tail
        else:
            rest += new
        if len(rest) > LONGEST_LINE:
            raise DataError(f"{name}: a line has more than {LONGEST_LINE >> 20} MB; is this a file of JSON lines?")
    if rest:
        yield rest


class _Parser:
    """A parser of blocks of lines. pyarrow parses the usual ones, and Python's `json` those that mix types."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._texts: dict[str, Any] = {}  # columns of texts, which pyarrow would parse as instants
        self._names: dict[str, None] = {}  # all columns so far

    def parse(self, block: bytes, line: int) -> tuple[Any, Mapping[int, str]]:
        """Return the rows of a block that begins with this line (from 1) as a table of Arrow.

        A line that is not an object is an empty row, and the second result tells why. Raises `DataError` if no line
        before it was an object: the file is of another kind.
        """
        import pyarrow as pa

        try:
            table = self._by_arrow(block)
            instants = {field.name: pa.string() for field in table.schema if pa.types.is_timestamp(field.type)}
            if instants:
                self._texts |= instants
                table = self._by_arrow(block).select(table.schema.names)  # it begins with the known columns
            block.decode()  # pyarrow does not look at the bytes of texts
        except (pa.ArrowException, UnicodeDecodeError):
            return self._by_python(block, line)
        if b"NaN" in block and _has_nan(table):
            return self._by_python(block, line)
        self._names |= dict.fromkeys(table.schema.names)
        return table, {}

    def _by_arrow(self, block: bytes) -> Any:
        import pyarrow as pa
        from pyarrow import json as arrow_json

        known = [pa.field(name, kind) for name, kind in self._texts.items() if name.encode() in block]
        return arrow_json.read_json(
            pa.BufferReader(block),
            arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            arrow_json.ParseOptions(explicit_schema=pa.schema(known), unexpected_field_behavior="infer"),
        )

    def _by_python(self, block: bytes, line: int) -> tuple[Any, Mapping[int, str]]:
        import pyarrow as pa

        rows, faults = list[dict[str, Any]](), dict[int, str]()
        for number, text in enumerate(block.split(b"\n"), line):
            if not text.strip():
                continue
            try:
                rows.append(self._row(text, number))
            except DataError as error:
                if not self._names:
                    raise
                faults[len(rows)] = str(error)
                rows.append({})
            self._names |= dict.fromkeys(rows[-1])
        columns = {}
        for name in self._names:
            try:
                columns[name] = _column([row.get(name) for row in rows])
            except ColumnError as error:
                raise DataError(f"{self.name}, from line {line} on: column {named(name)}{error}") from None
        return pa.table(columns), faults

    def _row(self, text: bytes, line: int) -> dict[str, Any]:
        place = f"{self.name}, line {line}"
        try:
            row = json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise DataError(f"{place}: this is not JSON: {what}, in {shown(text.decode(errors='replace'))}") from None
        if not isinstance(row, dict):
            raise DataError(f'{place}: expected an object, such as {{"area": 50}}, found {type_of(row)}')
        return row


def _column(cells: list[Any]) -> Any:
    """Return cells as a column of Arrow; a list or an object among cells of other types becomes its text in JSON."""
    nested = [isinstance(cell, dict | list) for cell in cells]
    if not any(nested):
        return to_arrow_column(cells)
    if all(inside or cell is None for inside, cell in zip(nested, cells, strict=True)):
        return to_nested(cells)
    return to_arrow_column([json_of(cell) if inside else cell for inside, cell in zip(nested, cells, strict=True)])


def _has_nan(table: Any) -> bool:
    import pyarrow as pa
    from pyarrow import compute

    columns = [column for column in table.columns if pa.types.is_floating(column.type)]
    return any(compute.any(compute.is_nan(column)).as_py() for column in columns)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise ValueError(f"there are two keys {named(twice)}")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")
