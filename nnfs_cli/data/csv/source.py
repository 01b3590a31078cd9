"""Data sets in CSV files. pyarrow parses the cells; messages name the line and the column of a fault."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema, model_validator

from nnfs_cli.components.field_types import Lines, NotEmpty, Text
from nnfs_cli.components.section import invalid
from nnfs_cli.data.csv.blocks import Block, blocks, names_in
from nnfs_cli.data.csv.cell_parser import CellParser
from nnfs_cli.data.csv.inference import Inference
from nnfs_cli.data.csv.layout import CsvLayout
from nnfs_cli.data.file_source import STDIN, ColumnFile, check_schema
from nnfs_cli.data.named_columns import Names
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.errors import DataError
from nnfs_cli.system.parallel_map import parallel_map
from nnfs_cli.system.remote.file import Location
from nnfs_cli.system.wording import shown


def _one_character(delimiter: str) -> str:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise invalid(f"expected a single character as delimiter, such as ';', found {shown(delimiter)}")
    return delimiter


def _a_mark(decimal: str) -> str:
    if (
        len(decimal) != 1
        or not decimal.isascii()
        or not decimal.isprintable()
        or decimal.isalnum()
        or decimal in '"+- '
    ):
        raise invalid(
            f"expected a single character, not a letter or digit, as decimal mark, such as ',', found {shown(decimal)}"
        )
    return decimal


def _an_encoding(encoding: str) -> str:
    try:
        found = codecs.lookup(encoding)
        if not getattr(found, "_is_text_encoding", True) or found.name in ("idna", "punycode"):  # these are for domains
            raise LookupError
        codecs.getincrementaldecoder(encoding)().decode(b"", False)
    except (LookupError, UnicodeError, TypeError, ValueError):
        raise invalid(
            f"expected the name of a text encoding, such as utf-8, cp1252 or utf-16, found {shown(encoding)}"
        ) from None
    return encoding


def _as_tokens(value: object) -> object:
    if not isinstance(value, tuple | list):
        value = (value,)
    for token in value:
        if not isinstance(token, str):
            raise invalid(f"expected texts; put {shown(token)} in quotes")
    return tuple(value)


_ONE = WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1})
Delimiter = Annotated[Text, AfterValidator(_one_character), _ONE]
Mark = Annotated[Text, AfterValidator(_a_mark), _ONE]
Encoding = Annotated[Text, AfterValidator(_an_encoding)]
Tokens = Annotated[
    tuple[Text, ...],
    BeforeValidator(_as_tokens),
    WithJsonSchema({"type": ["string", "array"], "minLength": 1, "items": {"type": "string", "minLength": 1}}),
]


class Csv(ColumnFile, name="csv", main="path"):
    """A CSV file whose first line names the columns, or several files with the same columns; also `.gz` and `.zst`.

    An empty cell is a missing value, with or without quotes. Numbers look like -1.5e-3; `decimal` sets another decimal
    mark.
    """

    examples = (
        "csv: {path: houses.csv, target: price}",
        "csv: {path: wine.csv, target: quality, delimiter: ';', decimal: ','}",
        "csv: {path: part-*.csv.gz, target: price, encoding: cp1252, null: [NA]}",
        "csv: {path: sales.csv, target: units, skip_rows: 2, skip_footer: [Total]}",
    )
    suffixes = tuple(kind + packed for kind in (".csv", ".tsv", ".txt") for packed in ("", ".gz", ".zst"))

    delimiter: Delimiter | None = None
    """Character between two cells. The default is a comma, or a tab for a `.tsv` file."""
    decimal: Mark = "."
    """Decimal mark of numbers."""
    encoding: Encoding = "utf-8"
    """Text encoding of the file, by its name in Python."""
    header: Annotated[Names, NotEmpty] | None = None
    """Names of the columns, for a file without a header line."""
    null: Tokens = ()
    """Texts that mark a missing value, as in [NA, '-']. An empty cell always does."""
    skip_rows: Lines = 0
    """Number of lines before the header, such as a title. A line such as ``sep=;`` needs no setting."""
    comment: Text | None = None
    """Text at the beginning of comment lines, such as '#'."""
    skip_footer: Tokens = ()
    """Texts that begin summary rows at the end of the file, as in [Total]. A file without such rows loses none."""

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.decimal == self.separator:
            raise invalid(
                f"{shown(self.decimal)} cannot be both the decimal mark and the delimiter; set another delimiter"
            )
        return self

    def at(self, path: Location) -> Self:
        """Return a data set with the same settings for another file; stdin has the delimiter of this file."""
        moved = super().at(path)
        same = path == STDIN or moved.separator == self.decimal
        return moved.model_copy(update={"delimiter": self.separator}) if same else moved

    @property
    def separator(self) -> str:
        """The character between two cells."""
        return self.delimiter or ("\t" if ".tsv" in self.path.name.lower()[-8:] else ",")

    @property
    def layout(self) -> CsvLayout:
        """How the cells are arranged and encoded."""
        lines = (self.skip_rows, self.comment, self.skip_footer)
        return CsvLayout(self.separator, self.encoding, self.header, *lines)

    def _names(self) -> tuple[str, ...]:
        return names_in(self.files[0], self.layout)

    def _blocks(self) -> Iterator[Block]:
        """Yield the blocks of all files. Raises `DataError` unless they have the same columns."""
        first: tuple[tuple[str, ...], str] | None = None
        for path in self.files:
            for block in blocks(path, self.layout):
                first = first or (block.names, block.file)
                if block.index == 0:
                    check_schema(block.names, first[0], block.file, first[1])
                yield block

    def _parser(self, kinds: Mapping[str, Kind], faults: bool = False) -> CellParser:
        return CellParser(kinds, self.decimal, self.null, faults)

    def _find(self, counts: Sequence[int], row: int, name: str) -> tuple[str, str]:
        """Return the place and the text of a cell; `counts` are the rows of each block, and `row` counts over all."""
        several = len(self.files) > 1
        for block, n in zip(self._blocks(), counts, strict=False):
            if row < n:
                place, found = block.find(row, name)
                return f"{block.file}, {place}" if several else place, found
            row -= n
        raise DataError(f"{self.path.name} has changed since it was read; start again")

    def _no_rows(self) -> DataError:
        name = "stdin" if self.path == STDIN else self.path.name
        return DataError(f"{name} has no rows" if self.header else f"{name} has a header but no rows")

    def _chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str], faults: bool) -> Iterator[Table]:
        parser, n_rows = self._parser(kinds, faults), 0
        block = None
        for block, table in parallel_map(lambda block: parser.table(block, keep), self._blocks()):
            if table.columns and not table.n_rows:
                continue
            skipped = [name for name in table.not_read if name in self.drop or name not in block.unnamed]
            table = replace(table, not_read=tuple(skipped))
            if self.path != STDIN:
                table = replace(table, find=_Finder(self, block.file, block.index))
            n_rows += table.n_rows or any(block.records())
            yield table
        if block is not None and not n_rows:
            raise self._no_rows()

    def _read(self, name: str, kinds: Mapping[str, Kind]) -> Table:
        if self.path == STDIN:
            raise DataError("stdin can be read only once; save the rows to a file and give its path")
        inference = Inference(self._parser(kinds), kinds, self.drop)
        columns = inference.read(self._blocks)
        if not sum(inference.counts):
            raise self._no_rows()
        counts = tuple(inference.counts)
        return Table(
            name,
            columns,
            self.sha256(),
            find=lambda row, column: self._find(counts, row, column),
            not_read=tuple(name for name in inference.names if name in inference.drop),
            decimal=self.decimal,
        )

    def _kinds(self, given: Mapping[str, Kind]) -> dict[str, Kind]:
        if self.path == STDIN:
            raise DataError("stdin can be read only once; save the rows to a file and give its path")
        inference = Inference(self._parser({}), given, self.drop)
        return inference.kinds(self._blocks)


class _Finder:
    """A `Table.find` for a block that reads the block again, so that it need not be kept."""

    def __init__(self, source: Csv, file: str, index: int) -> None:
        self.source, self.file, self.index = source, file, index

    def __call__(self, row: int, name: str) -> tuple[str, str]:
        for block in self.source._blocks():
            if (block.file, block.index) == (self.file, self.index):
                return block.find(row, name)
        raise DataError(f"{self.file} has changed since it was read; start again")
