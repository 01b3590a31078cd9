"""The cells of a block of CSV, taken for what their columns are said to be."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.arrow import FALSE, TRUE, finite, parsed_dates, parsed_numbers, to_instants, to_texts
from nnfs_cli.data.csv.blocks import Block, CsvLayout
from nnfs_cli.data.dates import DATES
from nnfs_cli.data.table import Column, Kind, Table, is_number
from nnfs_cli.data.texts import GAP, Texts

PIECE = 1 << 20  # bytes that pyarrow takes at a time
Wrong = tuple[int, str, str]  # a row, a column, and what should stand there


class CellParser:
    """Takes the columns of blocks for the kinds they are said to be of.

    A cell that cannot be taken so raises `DataError`, or with `faults` it becomes a gap and is reported.
    """

    def __init__(
        self, layout: CsvLayout, kinds: Mapping[str, Kind], decimal: str, null: Sequence[str], faults: bool
    ) -> None:
        import pyarrow as pa

        self.layout, self.wanted, self.decimal, self.faults = layout, kinds, decimal, faults
        self.null = ["", *null]
        self.text, self.words, self.switch = pa.string(), pa.dictionary(pa.int32(), pa.string()), pa.bool_()
        of_kind = {"number": pa.float64(), "category": self.words, "date": pa.timestamp("us")}
        self.types = {name: of_kind[kind] for name, kind in kinds.items()}

    def table(self, block: Block, keep: Sequence[str] = ()) -> Table:
        """The wanted columns of a block that it has; those to keep as the texts they are."""
        names = [name for name in block.names if name in self.wanted]
        not_read = tuple(name for name in block.names if name not in self.wanted)
        kept = [name for name in block.names if name in set(keep)]
        beside = [name for name in kept if name not in self.wanted and len(self.null) == 1]
        columns, kept_columns, faults = self.columns(block, names, beside)
        apart = [name for name in kept if name not in beside]
        if apart and columns:
            kept_columns |= self._as_written(block, apart, faults)
        return Table(
            block.file,
            columns,
            find=block.find,
            not_read=not_read,
            kept={name: kept_columns[name] for name in kept} if columns or kept_columns else {},
            faults=faults,
            decimal=self.decimal,
        )

    def columns(
        self, block: Block, names: Sequence[str], beside: Sequence[str] = ()
    ) -> tuple[dict[str, Column], dict[str, Any], dict[int, str]]:
        """The columns of these names, those to keep beside them, and what is wrong with rows."""
        import pyarrow as pa

        types = {name: self.types[name] for name in names} | dict.fromkeys(beside, self.text)
        try:
            table = self.parse(block, types, [*names, *beside])
            columns: dict[str, Column] | None = self.converted(table, names)
        except pa.ArrowInvalid:
            columns = None
        if columns is not None:
            return columns, {name: table[name] for name in beside}, {}
        return self._carefully(block, names, beside)

    def parse(
        self,
        block: Block,
        types: Mapping[str, Any],
        names: Sequence[str],
        on_ragged: Callable[[Any], str] | None = None,
        null: Sequence[str] | None = None,
    ) -> Any:
        """The columns of these names as a table of Arrow; by their `types`, or what is in them."""
        import pyarrow as pa
        from pyarrow import csv

        options: dict[str, Any] = {
            "parse_options": csv.ParseOptions(
                delimiter=block.delimiter, newlines_in_values=block.quoted_lines, invalid_row_handler=on_ragged
            ),
            "convert_options": csv.ConvertOptions(
                check_utf8=False,  # it is known to be
                null_values=self.null if null is None else null,
                true_values=TRUE,
                false_values=FALSE,
                decimal_point=self.decimal,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                column_types=dict(types),
                include_columns=list(names),
                auto_dict_encode=True,
                auto_dict_max_cardinality=(1 << 31) - 1,
            ),
        }

        def read(piece: int) -> Any:
            reading = csv.ReadOptions(column_names=block.names, block_size=piece, use_threads=False)
            content = pa.py_buffer(block.data).slice(0, block.end)
            if block.data.startswith(codecs.BOM_UTF8):  # pyarrow leaves a first one out, and here it is none
                content = pa.py_buffer(codecs.BOM_UTF8 + block.content)
            return csv.read_csv(pa.BufferReader(content), read_options=reading, **options)

        try:
            return read(PIECE)
        except pa.ArrowInvalid as error:
            if "straddling" in str(error):  # a record longer than a piece
                return read(block.end + 1)
            if "Empty CSV" in str(error):
                return pa.table({name: pa.array([], types.get(name, pa.null())) for name in names})
            raise

    def converted(self, table: Any, names: Sequence[str]) -> dict[str, Column] | None:
        """The columns of a table that was parsed by their types; None where a number is not finite."""
        columns: dict[str, Column] = {}
        for name in names:
            column = table[name]
            if self.wanted[name] == "category":
                columns[name] = to_texts(column)
            elif self.wanted[name] == "date":
                columns[name] = to_instants(column)
            else:
                if column.type == self.switch:
                    column = column.cast("int8").cast("float64")
                numbers = np.asarray(column.to_numpy(), np.float64)
                if not finite(numbers, column.null_count):
                    return None
                columns[name] = numbers
        return columns

    def _carefully(
        self, block: Block, names: Sequence[str], beside: Sequence[str]
    ) -> tuple[dict[str, Column], dict[str, Any], dict[int, str]]:
        """The same where a cell or a row is wrong: as texts, each of which is looked at."""
        ragged: dict[int, int] = {}

        def on_ragged(row: Any) -> str:
            ragged[row.number - 1] = row.actual_columns
            return "skip"

        types = {name: self.words if self.wanted.get(name) == "category" else self.text for name in (*names, *beside)}
        table = self.parse(block, types, [*names, *beside], on_ragged)
        n = table.num_rows + len(ragged)
        places = np.delete(np.arange(n), list(ragged))
        columns: dict[str, Column] = {}
        wrong: list[Wrong] = []
        for name in names:
            columns[name], expected = self._parsed(name, table[name])
            wrong += [(int(places[row]), name, what) for row, what in expected.items()]
        faults = self._reported(block, columns, places, ragged, sorted(wrong, key=lambda found: found[0]))
        if ragged:
            columns = {name: _with_gaps(column, places, n) for name, column in columns.items()}
        return columns, {name: _spread(table[name], places, n) for name in beside}, faults

    def _parsed(self, name: str, column: Any) -> tuple[Column, dict[int, str]]:
        """A column of texts as its kind, and what should stand in the rows that do not hold that."""
        if self.wanted[name] == "category":
            return to_texts(column), {}
        self._expect(name, column)
        if self.wanted[name] == "date":
            dates, bad = parsed_dates(column)
            return dates, dict.fromkeys(np.flatnonzero(bad).tolist(), DATES) if bad is not None else {}
        numbers, bad = parsed_numbers(column, self.decimal)
        rows = np.flatnonzero(bad).tolist() if bad is not None else []
        return numbers, {row: self._expected(column[row].as_py()) for row in rows}

    def _expect(self, name: str, column: Any) -> None:
        """Let the column be parsed in the next block as the type that it seems to have in this one."""
        import pyarrow as pa

        first = column.drop_null().slice(0, 1).to_pylist()
        if not first:
            return
        if self.wanted[name] == "number":
            self.types[name] = self.switch if first[0] in (*TRUE, *FALSE) else pa.float64()
        else:
            zoned = re.search(r":[0-9]{2}(\.[0-9]+)?(Z|[-+][0-9:]{2,5})$", first[0])
            self.types[name] = pa.timestamp("us", "UTC" if zoned else None)

    def _expected(self, text: str) -> str:
        infinite = re.fullmatch(r"[-+]?(inf|infinity|nan)", text.strip(), re.IGNORECASE)
        return "finite numbers" if infinite or is_number(text, self.decimal) else "numbers"

    def _reported(
        self,
        block: Block,
        columns: Mapping[str, Column],
        places: Array,
        ragged: Mapping[int, int],
        wrong: Sequence[Wrong],
    ) -> dict[int, str]:
        """A sentence for each row that is wrong. Raises `DataError` with the first unless faults are to be reported."""
        if not ragged and not wrong:
            return {}
        if not self.faults:
            if ragged and (not wrong or min(ragged) <= wrong[0][0]):
                block.refuse_ragged()
            row, name, expected = wrong[0]
            raise Table(block.file, columns, find=block.find, decimal=self.decimal).error(row, name, expected)
        lines = block.lines()
        faults = {row: block.ragged(lines[row], n_cells) for row, n_cells in ragged.items()}
        cells = self._as_written(block, list(dict.fromkeys(name for _, name, _ in wrong)), dict.fromkeys(ragged, ""))
        for row, name, expected in wrong:
            if row not in faults:
                found = cells[name][row].as_py() or ""
                where = (f"line {lines[row]}", found)
                table = Table(block.file, columns, find=lambda _, __, where=where: where, decimal=self.decimal)  # type: ignore[misc]
                faults[row] = str(table.error(row, name, expected))
        return dict(sorted(faults.items()))

    def _as_written(self, block: Block, names: Sequence[str], faults: Mapping[int, str]) -> dict[str, Any]:
        """Columns as the texts they are, whatever they are taken for."""
        ragged: list[int] = []

        def on_ragged(row: Any) -> str:
            ragged.append(row.number - 1)
            return "skip"

        if not names:
            return {}
        table = self.parse(block, dict.fromkeys(names, self.text), names, on_ragged if faults else None, [""])
        n = table.num_rows + len(ragged)
        places = np.delete(np.arange(n), ragged)
        return {name: _spread(table[name], places, n) for name in names}


def _with_gaps(column: Column, places: Array, n: int) -> Column:
    """The column (rows,) at these places of n rows; the others are gaps."""
    if isinstance(column, Texts):
        codes = np.full(n, GAP, column.codes.dtype)
        codes[places] = column.codes
        return Texts(codes, column.distinct)
    spread = np.full(n, np.datetime64("NaT", "us") if column.dtype.kind == "M" else np.nan, column.dtype)
    spread[places] = column
    return spread


def _spread(column: Any, places: Array, n: int) -> Any:
    """The same for a column of Arrow, whose gaps are null."""
    import pyarrow as pa

    if len(places) == n:
        return column
    rows = np.full(n, -1)
    rows[places] = np.arange(len(places))
    return column.take(pa.array(rows, mask=rows < 0))
