"""Tables in text files, a line a row. pyarrow does the reading; this says what was wrong, and where."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, BinaryIO

from pydantic import Field

from nnfs_cli.data.file_source import ColumnSource, checked_names
from nnfs_cli.data.parquet import to_numpy
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError, counted
from nnfs_cli.parameters import Array


class Csv(ColumnSource, name="csv", main="path"):
    """A CSV file in UTF-8 whose first line names the columns; `.gz` is read as it is.

    An empty cell is a gap. Numbers are written with a point, as in -1.5e-3.
    """

    examples = ("csv: {path: houses.csv, target: price}", "csv: {path: wine.csv, target: quality, delimiter: ';'}")
    suffixes = (".csv", ".tsv", ".txt", ".gz")

    delimiter: Annotated[str, Field(strict=True, min_length=1, max_length=1)] = ","

    def _read(self, name: str) -> Table:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        sha256 = self._sha256()
        try:
            table = arrow_csv.read_csv(
                self.path,
                parse_options=arrow_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    null_values=[""], true_values=["true", "True", "TRUE"], false_values=["false", "False", "FALSE"],
                    strings_can_be_null=True, quoted_strings_can_be_null=False,
                ),
            )  # fmt: skip
            names = checked_names(name, list(table.column_names))
        except UnicodeDecodeError:
            raise DataError(f"{name}, line 1: the header is not UTF-8; save the file with that encoding") from None
        except pa.ArrowInvalid as error:
            raise DataError(self._explain(name, str(error))) from None
        if not table.num_rows:
            raise DataError(f"{name} has a header and no rows")
        for column in names:
            if pa.types.is_binary(table.schema.field(column).type):
                raise DataError(self._not_utf8(name, column))
        columns = {column: to_numpy(table[column]) for column in names}
        return Table(name, columns, sha256, locate=lambda row: f"line {self._line(row)}")

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Every record with the number of the line it begins on; slow, and only for messages."""
        open_text: Any = gzip.open if self.path.suffix == ".gz" else open
        with open_text(self.path, "rt", encoding="utf-8-sig", errors="replace", newline="") as text:
            reader = csv.reader(text, delimiter=self.delimiter)
            line = 1
            for record in reader:
                if record:
                    yield line, record
                line = reader.line_num + 1

    def _line(self, row: int) -> int:
        for i, (line, _) in enumerate(self._lines()):
            if i == row + 1:
                return line
        return row + 2

    def _explain(self, name: str, message: str) -> str:
        """What pyarrow found, in our words and with the line."""
        if "Empty CSV file" in message:
            return f"{name} is empty"
        if self.path.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return f"{name} is encoded in UTF-16; save it as UTF-8"
        width = None
        try:
            for line, record in self._lines():
                width = width or len(record)
                if len(record) != width:
                    return f"{name}, line {line}: {counted(len(record), 'cell')} where the header has {width}"
        except csv.Error as error:
            return f"{name}: {error}"
        return f"{name}: {message.splitlines()[0]}"

    def _not_utf8(self, name: str, column: str) -> str:
        for line, record in self._lines():
            if any("�" in cell for cell in record):
                return f"{name}, line {line}: column '{column}' is not UTF-8; save the file with that encoding"
        return f"{name}: column '{column}' is not UTF-8; save the file with that encoding"


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
