"""Parse the cells of a single row given in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnfs_cli.data.parsing.base import Parser

REMEMBERED = 4_096  # texts whose values are kept


class RowParser:
    """Parse one row at a time; texts recur, so their values are remembered."""

    def __init__(self, parsers: Mapping[str, Parser]) -> None:
        self.parsers = [(name, parser, parser.outputs(name)) for name, parser in parsers.items()]
        self._known: dict[tuple[str, str], tuple[Any, ...] | None] = {}

    def parse(self, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the row with parsed cells; None if a parser gets a cell that it cannot read in this fast way."""
        if not self.parsers:
            return row
        parsed = dict(row)
        for name, parser, outputs in self.parsers:
            if name not in row:
                continue
            cell = parsed.pop(name)
            if type(cell) is not str:
                if cell is None or len(outputs) > 1 or parser.kind == "date":
                    return None
                values: tuple[Any, ...] | None = (cell,)
            elif (name, cell) in self._known:
                values = self._known[name, cell]
            else:
                values = self._remember(name, cell, _values(parser, cell))
            if values is None:
                return None
            parsed |= zip(outputs, values, strict=True)
        return parsed

    def _remember(self, name: str, cell: str, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[name, cell] = values
        return values


def _values(parser: Parser, cell: str) -> tuple[Any, ...] | None:
    """Return the value of a text for each output; None if it has none, or is a date with an offset from UTC."""
    values = tuple(one[0].item() for one in parser.parse([cell]))
    usable = all(value is not None and value == value and not isinstance(value, tuple) for value in values)
    return values if usable else None
