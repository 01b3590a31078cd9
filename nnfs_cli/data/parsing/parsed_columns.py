"""Apply parsers to the columns of tables, as they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import NOT_A_DATE, concatenate_dates, utc
from nnfs_cli.data.parsing.base import Parser
from nnfs_cli.data.parsing.evidence import Evidence
from nnfs_cli.data.table import Column, Kind, Table, gaps_of
from nnfs_cli.data.texts import StoredTexts, Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted, in_a_line, named, shown

LONGEST = 40  # characters of a cell that a message gives as an example


@dataclass(frozen=True)
class ParsedColumns:
    """The columns of a data set that parsers read, and the parser of each, by name."""

    parsers: Mapping[str, Parser] = field(default_factory=dict)
    _warned: set[str] = field(default_factory=set, compare=False, repr=False)

    def stored(self, kinds: Mapping[str, Kind], every: bool = False) -> Mapping[str, Kind]:
        """Return how to read a table before it is parsed, so that it has the columns in `kinds` afterwards.

        With `every`, all columns are read, and not only those in `kinds`.
        """
        if not self.parsers:
            return kinds
        made = {output: name for name, parser in self.parsers.items() for output in parser.outputs(name)}
        wanted = self.parsers if every else dict.fromkeys(made[name] for name in kinds if name in made)
        others = {name: kind for name, kind in kinds.items() if name not in made and name not in self.parsers}
        return {**others, **dict.fromkeys(wanted, "stored")}

    def kinds(self, stored: Mapping[str, Kind], given: Mapping[str, Kind]) -> dict[str, Kind]:
        """Return the kinds of columns after parsing: the `given` one, or that of the parser."""
        found: dict[str, Kind] = {}
        for name, kind in stored.items():
            parser = self.parsers.get(name)
            outputs = {name: kind} if parser is None else dict.fromkeys(parser.outputs(name), parser.kind)
            found |= {output: given.get(output, own) for output, own in outputs.items()}
        return found

    def settled_by(self, tables: Iterable[Table]) -> ParsedColumns:
        """Return the same with the settings that all cells together settle.

        Raises `DataError` if they do not settle one.
        """
        evidence: dict[str, Evidence] = {name: Evidence() for name, one in self.parsers.items() if not one.is_settled}
        if not evidence:
            return self
        of = ""
        for table in tables:
            of = table.name
            for name, found in evidence.items():
                if name in table.columns and (texts := _texts(self.parsers[name], table.columns[name])) is not None:
                    found.add(texts)
        settled = dict(self.parsers)
        for name, found in evidence.items():
            try:
                settled[name] = self.parsers[name].settle(found)
            except ValueError as error:
                raise DataError(f"{of}: column {named(name)} {error}") from None
        return replace(self, parsers=settled)

    def of(self, table: Table, faults: bool = False) -> Table:
        """Return the table with parsed columns. Settings that are not settled are settled by its cells.

        A cell that cannot be read raises `DataError`; with `faults` it becomes empty, and its row gets a fault.
        """
        if not any(name in table.columns for name in self.parsers):
            return table
        parsed = self.settled_by([table])
        columns: dict[str, Column] = {}
        found, empty = dict(table.faults), Counter[str]()
        for name, column in table.columns.items():
            parser = parsed.parsers.get(name)
            if parser is None:
                columns[name] = column
                continue
            outputs, wrong = _parse(table, name, parser)
            if twice := [made for made in parser.outputs(name) if made != name and table.has(made)]:
                made_of = f"{parser.name} makes a column {named(twice[0])} of {named(name)}"
                raise DataError(f"{table.name}: {made_of}, but there is one already; rename it")
            columns |= zip(parser.outputs(name), outputs, strict=True)
            if parser.invalid == "empty":
                empty[name] += int(wrong.sum())
            elif wrong.any():
                expected = parser.expected(_example(table, name, wrong))
                if not faults:
                    raise _error(table, int(np.argmax(wrong)), name, parser, expected)
                for row in np.flatnonzero(wrong).tolist():
                    found.setdefault(row, str(_error(table, row, name, parser, expected)))
        origin = {output: name for name, parser in parsed.parsers.items() for output in parser.outputs(name)}

        def find(row: int, name: str) -> tuple[str, str]:
            return table.locate(row, origin.get(name, name))

        return replace(
            table,
            columns=columns,
            find=find,
            faults=dict(sorted(found.items())),
            parsers=parsed.parsers,
            made_empty=empty,
        )

    def warn_of_empty(self, tables: Iterable[Table]) -> Iterator[Table]:
        """Yield the tables, then warn once about cells that could not be read and count as empty."""
        empty, n_rows, of = Counter[str](), 0, ""
        for table in tables:
            empty, n_rows, of = empty + table.made_empty, n_rows + table.n_rows, table.name
            yield table
        for name, n in empty.items():
            be = "is" if n == 1 else "are"
            message = f"{of}: {counted(n, 'cell')} of {n_rows:,} in column {named(name)} cannot be read and {be} empty"
            if message not in self._warned:
                self._warned.add(message)
                warn(message)


def settled_without_cells(parsers: Mapping[str, Parser]) -> dict[str, Parser]:
    """Return the parsers, with the usual settings for columns that hold no text to settle them."""
    return {name: one if one.is_settled else one.settle(Evidence()) for name, one in parsers.items()}


def _texts(parser: Parser, column: Column) -> Texts | None:
    """Return the texts of a column that are to be parsed, or None if it is of numbers or dates already."""
    if isinstance(column, Texts):
        return column
    if parser.kind == "date" and column.dtype.kind in "iuf":
        return Table("", {"": column}).texts("")
    return None


def _parse(table: Table, name: str, parser: Parser) -> tuple[tuple[Array, ...], Array]:
    """Return the outputs of a column, each (rows,), and a mask (rows,) of the cells that cannot be read.

    Raises `DataError` if the column is of another type.
    """
    column = table.columns[name]
    texts = _texts(parser, column)
    if texts is None:
        if isinstance(column, Texts) or (column.dtype.kind in "MV") != (parser.kind == "date"):
            found = "dates" if not isinstance(column, Texts) and column.dtype.kind in "MV" else "numbers"
            raise DataError(f"{table.name}: column {named(name)} holds {found}, which {parser.name} does not read")
        return (column,) * len(parser.outputs(name)), np.zeros(len(column), bool)
    if isinstance(texts, StoredTexts):
        outputs, gaps = parser.parse(texts.arrow), texts.gaps
        for values in outputs if parser.kind == "number" else ():
            values[gaps] = parser.empty_value
        return outputs, _unread(outputs) & ~gaps
    empty = np.full(1, parser.empty_value) if parser.kind == "number" else np.full(1, NOT_A_DATE)
    by_code = tuple(concatenate_dates([one, empty]) for one in parser.parse(texts.distinct.tolist()))
    unread = _unread(by_code)
    unread[-1] = False  # an empty cell
    return tuple(one[texts.codes] for one in by_code), unread[texts.codes]


def _unread(outputs: Sequence[Array]) -> Array:
    """Return a mask (n,) of the texts without a value in any output."""
    return np.asarray(np.logical_and.reduce([gaps_of(utc(values)) for values in outputs]))


def _example(table: Table, name: str, wrong: Array) -> str:
    """Return the first text of a column that can be read, or nothing if there is none or it is long."""
    fits = ~(wrong | gaps_of(table.columns[name]))
    text = in_a_line(table.locate(int(np.argmax(fits)), name)[1].strip()) if fits.any() else ""
    return text if len(text) <= LONGEST else ""


def _error(table: Table, row: int, name: str, parser: Parser, expected: str) -> DataError:
    """Return the error about a cell that a parser cannot read."""
    place, found = table.locate(row, name)
    problem = f"should hold {expected}, found {shown(found)}"
    remedy = f"with  invalid: empty  the parser {parser.name} reads such cells as empty"
    return DataError(f"{table.name}, {place}: column {named(name)} {problem}; {remedy}")
