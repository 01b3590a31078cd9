"""The row that a what-if begins with: as the net reads it, and as its file writes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from nnfs_cli.data.arrow import to_arrow_array
from nnfs_cli.data.dates import utc
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.parsing import Parser
from nnfs_cli.data.table import Table, gaps_of
from nnfs_cli.errors import DataError
from nnfs_cli.explain.whatif.cells import plain_cell
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.wording import counted


@dataclass(frozen=True)
class GivenRow:
    """One row: a table as the net reads it, and the cells of numbers and of parsed columns as they were `given`.

    `parsers` are those of the input columns, and `column_of` is the column of the file that each input comes from.
    """

    table: Table
    parsers: Mapping[str, Parser]
    column_of: Mapping[str, str]
    given: Mapping[str, Any]

    @classmethod
    def read(cls, predictor: Predictor, rows: Any, number: int | None = None) -> Self:
        """Read the only row of a file or a table, or the row of a `number` (from 1); see `rows_for`.

        Raises `DataError` if there is not one row, or if the net cannot read it.
        """
        encoder, source = predictor.encoder, rows_for(rows, predictor.config.dataset, "the row")
        kinds = dict(encoder.kinds)
        if encoder.exposure is not None:
            kinds[encoder.exposure] = "number"
        outputs = {name: parser.outputs(name) for name, parser in predictor.config.dataset.parsers.items()}
        parsers = {
            name: parser
            for name, parser in predictor.config.dataset.parsers.items()
            if not kinds.keys().isdisjoint(outputs[name])
        }
        wanted = {*parsers, *(name for name, kind in kinds.items() if kind == "number")}
        table, kept = _row_of(source.chunks(kinds, [name for name in source.names() if name in wanted]), number)
        encoder.require_columns(table)
        made_of = {output: name for name in parsers for output in outputs[name]}
        return cls(table, parsers, {name: made_of.get(name, name) for name in encoder.kinds}, kept)

    def cells(self, table: Table, changed: Collection[str] = ()) -> dict[str, Any]:
        """Return the cells of a table of one row, by column of the file, as plain values that a reader takes.

        Parsed columns are written anew if they are `changed`, and else as they were given.
        """
        found: dict[str, Any] = {}
        for name in dict.fromkeys([*self.column_of.values(), *self.table.columns]):
            if name not in self.parsers and name in table.columns:
                found.setdefault(name, plain_cell(table, name, isinstance(self.given.get(name), bool)))
            elif name in self.parsers:
                given = self.given.get(name)
                found[name] = _written(self.parsers[name], name, table, given) if name in changed else given
        return {name: cell for name, cell in found.items() if name in self.parsers or name not in self._outputs}

    def read_again(self, table: Table, cells: Mapping[str, Any], changed: Collection[str]) -> Table | None:
        """Return the table with what is read from the written cells of changed, parsed columns.

        None if one of them does not say the same.
        """
        columns = dict(table.columns)
        for name in changed:
            if name not in self.parsers:
                continue
            parser = self.parsers[name]
            for output, values in zip(parser.outputs(name), parser.parse([cells[name]]), strict=True):
                if (gaps_of(utc(values)) != gaps_of(table.column(output)))[0]:
                    return None
                columns[output] = values
        return replace(table, columns=columns)

    @property
    def _outputs(self) -> set[str]:
        return {output for name, parser in self.parsers.items() for output in parser.outputs(name)}


def _row_of(tables: Any, number: int | None) -> tuple[Table, dict[str, Any]]:
    """Return one row of tables, and its kept cells."""
    found: tuple[Table, dict[str, Any]] | None = None
    before, of = 0, ""
    for table in tables:
        at, of = (number or 1) - 1 - before, table.name
        if 0 <= at < table.n_rows:
            kept = {name: to_arrow_array(column)[at].as_py() for name, column in table.kept.items()}
            found = table.take(np.array([at])), kept
        before += table.n_rows
        if number is not None and found is not None:
            return found
    if number is None and before > 1:
        found_rows = f"{of} has {counted(before, 'row')}, and a what-if is about one"
        raise DataError(f"{found_rows}; choose it with --number (in Python: number), which counts from 1")
    if found is None:
        raise DataError(f"{of} has no row {number or 1}; it has {counted(before, 'row')}")
    return found


def _written(parser: Parser, name: str, table: Table, given: Any) -> str:
    """Return the text of a parsed column for a table of one row, in place of the given one."""
    outputs = parser.outputs(name)
    if parser.kind == "date":
        return parser.write(table.stored(outputs[0])[0])
    values = tuple(float(table.numbers(output, gaps=True)[0]) for output in outputs)
    return parser.rewrite(values if len(values) > 1 else values[0], given)
