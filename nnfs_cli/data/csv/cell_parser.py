"""Parse the cells of a block of CSV as the kinds of their columns."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.arrow import parse_dates, parse_numbers, to_dates, to_stored_texts, to_texts
from nnfs_cli.data.csv.blocks import Block
from nnfs_cli.data.dates import DATES
from nnfs_cli.data.numbers import FALSE, TRUE, all_finite, expected_number
from nnfs_cli.data.table import Column, Kind, Table
from nnfs_cli.data.texts import GAP, Texts
from nnfs_cli.system.without_pandas import leave_pandas_out

PIECE = 1 << 20  # bytes that pyarrow parses at a time
WrongCell = tuple[int, str, str]  # its row, its column, and what it should hold


class CellParser:
    """A parser of columns as given kinds.

    A cell that does not fit its kind raises `DataError`; with `faults` it becomes a gap and is reported.
    """

    def __init__(self, kinds: Mapping[str, Kind], decimal: str, null: Sequence[str], faults: bool) -> None:
        leave_pandas_out()
        import pyarrow as pa

        self.decimal, self.faults = decimal, faults
        self.kinds = kinds
        self.null = ["", *null]
        self.text, self.category, self.truth = pa.string(), pa.dictionary(pa.int32(), pa.string()), pa.bool_()
        of_kind = {"number": pa.float64(), "category": self.category, "date": pa.timestamp("us"), "stored": self.text}
        self.types = {name: of_kind[kind] for name, kind in self.kinds.items()}

    def table(self, block: Block, keep: Sequence[str] = ()) -> Table:
        """Return the wanted columns that the block has, and the columns to keep as unchanged texts."""
        names = [name for name in block.names if name in self.kinds]
        not_read = tuple(name for name in block.names if name not in self.kinds)
        kept = [name for name in block.names if name in set(keep)]
        extra = [name for name in kept if name not in self.kinds and len(self.null) == 1]
        columns, kept_columns, faults = self.columns(block, names, extra)
        separate = [name for name in kept if name not in extra]
        if separate and columns:
            kept_columns |= self._as_written(block, separate, faults)
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
        self, block: Block, names: Sequence[str], extra: Sequence[str] = ()
    ) -> tuple[dict[str, Column], dict[str, Any], dict[int, str]]:
        """Return the columns of these names, the texts of the `extra` columns, and the faults of rows."""
        import pyarrow as pa

        types = {name: self.types[name] for name in names} | dict.fromkeys(extra, self.text)
        try:
            table = self.parse(block, types, [*names, *extra])
            columns: dict[str, Column] | None = self.converted(table, names)
        except pa.ArrowInvalid:
            columns = None
        if columns is not None:
            return columns, {name: table[name] for name in extra}, {}
        return self._parse_faulty(block, names, extra)

    def parse(
        self,
        block: Block,
        types: Mapping[str, Any],
        names: Sequence[str],
        on_ragged: Callable[[Any], str] | None = None,
        null: Sequence[str] | None = None,
    ) -> Any:
        """Return the columns of these names as a table of Arrow, with these `types` or those that pyarrow infers.

        `on_ragged` is called for a row with a wrong number of cells; without it such a row raises `pa.ArrowInvalid`.
        """
        import pyarrow as pa
        from pyarrow import csv

        options: dict[str, Any] = {
            "parse_options": csv.ParseOptions(
                delimiter=block.delimiter, newlines_in_values=block.quoted_lines, invalid_row_handler=on_ragged
            ),
            "convert_options": csv.ConvertOptions(
                check_utf8=False,  # `blocks` has checked it
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
            if block.data.startswith(codecs.BOM_UTF8):  # pyarrow would drop it, but here it is text
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
        """Return the columns of a table that was parsed with `types`, or None if a cell does not fit its kind."""
        columns: dict[str, Column] = {}
        for name in names:
            column = table[name]
            if self.kinds[name] == "category":
                columns[name] = to_texts(column)
            elif self.kinds[name] == "stored":
                columns[name] = to_stored_texts(column)
            elif self.kinds[name] == "date":
                columns[name], bad = parse_dates(column) if column.type == self.text else (to_dates(column), None)
                if bad is not None:
                    return None
            else:
                if column.type == self.truth:
                    column = column.cast("int8").cast("float64")
                numbers = np.asarray(column.to_numpy(), np.float64)
                if not all_finite(numbers, column.null_count):
                    return None
                columns[name] = numbers
        return columns

    def _parse_faulty(
        self, block: Block, names: Sequence[str], extra: Sequence[str]
    ) -> tuple[dict[str, Column], dict[str, Any], dict[int, str]]:
        """Return what `columns` returns, for a block with a faulty cell or row: parse texts and check each."""
        ragged: dict[int, int] = {}

        def on_ragged(row: Any) -> str:
            ragged[row.number - 1] = row.actual_columns
            return "skip"

        types = {name: self.category if self.kinds.get(name) == "category" else self.text for name in (*names, *extra)}
        table = self.parse(block, types, [*names, *extra], on_ragged)
        n = table.num_rows + len(ragged)
        positions = np.delete(np.arange(n), list(ragged))
        columns: dict[str, Column] = {}
        wrong: list[WrongCell] = []
        for name in names:
            columns[name], expected = self._parsed(name, table[name])
            wrong += [(int(positions[row]), name, what) for row, what in expected.items()]
        faults = self._report(block, columns, positions, ragged, sorted(wrong, key=lambda found: found[0]))
        if ragged:
            columns = {name: _spread_column(column, positions, n) for name, column in columns.items()}
        return columns, {name: _spread_arrow(table[name], positions, n) for name in extra}, faults

    def _parsed(self, name: str, column: Any) -> tuple[Column, dict[int, str]]:
        """Return a column of texts as its kind, and what the faulty rows should hold."""
        if self.kinds[name] in ("category", "stored"):
            return to_texts(column), {}
        self._adjust_type(name, column)
        if self.kinds[name] == "date":
            dates, bad = parse_dates(column)
            return dates, dict.fromkeys(np.flatnonzero(bad).tolist(), DATES) if bad is not None else {}
        numbers, bad = parse_numbers(column, self.decimal)
        rows = np.flatnonzero(bad).tolist() if bad is not None else []
        return numbers, {row: expected_number(column[row].as_py(), self.decimal) for row in rows}

    def _adjust_type(self, name: str, column: Any) -> None:
        """Parse the column in later blocks as the type that it seems to have in this one."""
        import pyarrow as pa

        first = column.drop_null().slice(0, 1).to_pylist()
        if not first:
            return
        if self.kinds[name] == "number":
            self.types[name] = self.truth if first[0] in (*TRUE, *FALSE) else pa.float64()
        else:
            zoned = re.search(r":[0-9]{2}(\.[0-9]+)?(Z|[-+][0-9:]{2,5})$", first[0])
            self.types[name] = self.text if zoned else pa.timestamp("us")  # the parser of Arrow would drop the offset

    def _report(
        self,
        block: Block,
        columns: Mapping[str, Column],
        positions: Array,
        ragged: Mapping[int, int],
        wrong: Sequence[WrongCell],
    ) -> dict[int, str]:
        """Return a message for each faulty row. Raises `DataError` with the first one unless `faults` is set."""
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
        """Return columns as the texts in the file, whatever their kind."""
        ragged: list[int] = []

        def on_ragged(row: Any) -> str:
            ragged.append(row.number - 1)
            return "skip"

        if not names:
            return {}
        table = self.parse(block, dict.fromkeys(names, self.text), names, on_ragged if faults else None, [""])
        n = table.num_rows + len(ragged)
        positions = np.delete(np.arange(n), ragged)
        return {name: _spread_arrow(table[name], positions, n) for name in names}


def _spread_column(column: Column, positions: Array, n: int) -> Column:
    """Spread the column (rows,) to these positions among n rows; all other rows are gaps."""
    if isinstance(column, Texts):
        codes = np.full(n, GAP, column.codes.dtype)
        codes[positions] = column.codes
        return Texts(codes, column.distinct)
    spread = np.full(n, np.nan if column.dtype.kind == "f" else np.datetime64("NaT", "us"), column.dtype)
    spread[positions] = column
    return spread


def _spread_arrow(column: Any, positions: Array, n: int) -> Any:
    """Spread a column of Arrow to these positions among n rows; all other rows are null."""
    import pyarrow as pa

    if len(positions) == n:
        return column
    rows = np.full(n, -1)
    rows[positions] = np.arange(len(positions))
    return column.take(pa.array(rows, mask=rows < 0))
