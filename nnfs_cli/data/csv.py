"""Tables in text files, a line a row. pyarrow does the reading; this says what was wrong, and where."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, BinaryIO, cast

from pydantic import AfterValidator, WithJsonSchema

from nnfs_cli.data.arrow import check_names, to_arrays
from nnfs_cli.data.file_source import ColumnSource
from nnfs_cli.data.table import Table, ask_delimiter
from nnfs_cli.errors import DataError, counted, shown
from nnfs_cli.parameters import Array
from nnfs_cli.settings import Text, wrong


def _one_character(delimiter: str) -> str:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise wrong(f"expected a single character as delimiter, such as ';', found {shown(delimiter)}")
    return delimiter


_ONE = WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1})
Delimiter = Annotated[Text, AfterValidator(_one_character), _ONE]


class Csv(ColumnSource, name="csv", main="path"):
    """A CSV file in UTF-8 whose first line names the columns; `.gz` is read as it is.

    An empty cell is a gap. Numbers are written with a point, as in -1.5e-3. The delimiter is a comma, in a `.tsv` file
    a tab, unless another is given.
    """

    examples = ("csv: {path: houses.csv, target: price}", "csv: {path: wine.csv, target: quality, delimiter: ';'}")
    suffixes = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")

    delimiter: Delimiter | None = None
    """Between two cells; a comma, in a `.tsv` file a tab, unless set."""

    def _read(self, name: str) -> Table:
        import pyarrow as pa

        sha256 = self._sha256()
        has_quotes = self._scan(name)
        try:
            table = self._parse(has_quotes)
            # What pyarrow takes for dates and times stays in the words it is written in.
            kept = (
                pa.types.is_integer,
                pa.types.is_floating,
                pa.types.is_boolean,
                pa.types.is_string,
                pa.types.is_null,
            )
            fields = [column for column in table.schema if not any(is_kind(column.type) for is_kind in kept)]
            if any(pa.types.is_binary(column.type) for column in fields):
                raise self._not_utf8(name)
            check_names(table, name)
            if fields:
                texts = self._parse(has_quotes, {column.name: pa.string() for column in fields})
                for column in fields:
                    table = table.set_column(table.schema.get_field_index(column.name), column.name, texts[column.name])
        except UnicodeDecodeError:
            raise DataError(f"{name}, line 1: the header is not UTF-8; save the file with that encoding") from None
        except pa.ArrowInvalid as error:
            raise DataError(self._explain(name, str(error))) from None
        if not table.num_rows:
            raise DataError(f"{name} has a header and no rows")
        columns, unreadable = to_arrays(table)
        return Table(name, columns, sha256, unreadable=unreadable, find=self._find)

    def _parse(self, has_quotes: bool, texts: dict[str, Any] | None = None) -> Any:
        """The table as pyarrow reads it: all columns by what is in them, or only those to be read as `texts`."""
        from pyarrow import csv as arrow_csv

        with self._open() as file:
            return arrow_csv.read_csv(
                file if self._compressed else self.path,
                parse_options=arrow_csv.ParseOptions(delimiter=self._separator, newlines_in_values=has_quotes),
                convert_options=arrow_csv.ConvertOptions(
                    null_values=[""],
                    true_values=["true", "True", "TRUE"],
                    false_values=["false", "False", "FALSE"],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    column_types=texts,
                    include_columns=list(texts or ()),
                ),
            )

    @property
    def _compressed(self) -> bool:
        return self.path.suffix.lower() == ".gz"

    @property
    def _separator(self) -> str:
        return self.delimiter or ("\t" if ".tsv" in self.path.name.lower()[-7:] else ",")

    def _open(self) -> BinaryIO:
        return cast(BinaryIO, gzip.open(self.path) if self._compressed else self.path.open("rb"))

    def _scan(self, name: str) -> bool:
        """Refuse what pyarrow would misread: UTF-16, and a quote that is never closed. Whether there are quotes."""
        quotes = 0
        try:
            with self._open() as file:
                start = file.read(4)
                if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    raise DataError(f"{name} is encoded in UTF-16; save it as UTF-8")
                if start == b"PAR1":
                    raise DataError(f"{name} is a Parquet file, and is read as CSV; its name should end in .parquet")
                quotes += start.count(b'"')
                while chunk := file.read(1 << 20):
                    quotes += chunk.count(b'"')
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{name} is not a whole gzip file: {error}") from None
        if quotes % 2:
            for _ in self._records(strict=True):
                pass
        return quotes > 0

    def _records(self, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Every record with the number of the line it begins on; slow, and only for messages."""
        csv.field_size_limit(1 << 30)
        with io.TextIOWrapper(self._open(), "utf-8-sig", "surrogateescape", newline="") as text:
            reader = csv.reader(text, delimiter=self._separator, strict=strict)
            line = 1
            try:
                for record in reader:
                    if record:
                        yield line, record
                    line = reader.line_num + 1
            except csv.Error:
                raise DataError(f"{self.path.name}, line {line}: a quote is opened and never closed") from None

    def _find(self, row: int, name: str) -> tuple[str, str]:
        records = self._records()
        header = next(records)[1]
        line, record = next(found for i, found in enumerate(records) if i == row)
        return f"line {line}", record[header.index(name)]

    def _explain(self, name: str, message: str) -> str:
        """What pyarrow found, in our words and with the line."""
        if "Empty CSV file" in message:
            return f"{name} has a header and no rows" if any(self._records()) else f"{name} is empty"
        width, first = None, ""
        for line, record in self._records():
            if width is None:
                width, first = len(record), record[0]
            if len(record) != width:
                hint = ask_delimiter(first) if width == 1 else ""
                return f"{name}, line {line}: {counted(len(record), 'cell')} where the header has {width}{hint}"
        return f"{name}: {message.splitlines()[0]}"

    def _not_utf8(self, name: str) -> DataError:
        (_, header), *records = self._records()
        for line, record in records:
            for column, cell in zip(header, record, strict=True):
                if any("\udc80" <= character <= "\udcff" for character in cell):
                    return DataError(
                        f"{name}, line {line}: column '{column}' is not UTF-8; save the file with that encoding"
                    )
        raise AssertionError("pyarrow found bytes that Python does not")


def write_csv(columns: Mapping[str, Array], file: BinaryIO) -> None:
    """Write named columns, each (rows,), as CSV in UTF-8. Numbers are the shortest that read back the same."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(columns)
    file.write(header.getvalue().encode())
    texts = {text for column in columns.values() if column.dtype == object for text in set(column.tolist())}
    # pyarrow quotes every text or none.
    quoting = "needed" if any(set(text) & set('",\r\n') for text in texts) else "none"
    options = arrow_csv.WriteOptions(include_header=False, quoting_style=quoting)
    arrow_csv.write_csv(pa.table(dict(columns)), file, options)
