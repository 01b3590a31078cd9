"""Infer the kinds of the columns of a CSV file from all of their cells."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.arrow import parse_dates, to_column, to_texts
from nnfs_cli.data.csv.blocks import Block
from nnfs_cli.data.csv.cell_parser import CellParser
from nnfs_cli.data.csv.header import LIKE_INDEX
from nnfs_cli.data.numbers import all_finite
from nnfs_cli.data.table import Column, Kind, concatenate_columns
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.parallel_map import parallel_map
from nnfs_cli.system.warn import warn

CellType = Literal["empty", "integer", "decimal", "truth", "date", "zoned date", "text"]
Blocks = Callable[[], Iterable[Block]]

_KINDS: dict[CellType, Kind] = {
    "empty": "number",
    "integer": "number",
    "decimal": "number",
    "truth": "number",
    "date": "date",
    "zoned date": "date",
    "text": "category",
}


class _ParsedBlock(NamedTuple):
    """What was found in a block: the given columns, the types of all others, and their cells, None if all are gaps."""

    n_rows: int
    given: dict[str, Column]
    found: dict[str, CellType]
    columns: dict[str, Column | None]


class Inference:
    """A pass over all blocks of a file that infers the kinds of columns.

    `given` columns are parsed by `parser` as their kinds, and `drop` columns are skipped. Afterwards `names` holds the
    columns of the file, `counts` the number of rows of each block, and `drop` also the index that pandas writes.
    """

    def __init__(self, parser: CellParser, given: Mapping[str, Kind], drop: Sequence[str]) -> None:
        self.parser, self.given, self.drop = parser, given, set(drop)
        self.names: tuple[str, ...] = ()
        self.counts: list[int] = []
        self._types: dict[str, CellType] = {}
        self._reread: dict[str, None] = {}  # columns that first looked like another type, but are texts

    def read(self, blocks: Blocks) -> dict[str, Column]:
        """Return all columns that are not dropped, in the order of the file."""
        parts: dict[str, list[Column | None]] = {}
        for block, parsed in parallel_map(lambda block: self._parse(block, whole=True), blocks()):
            self.names = self.names or block.names
            self.counts.append(parsed.n_rows)
            if not parsed.n_rows:
                continue
            for name, column in parsed.given.items():
                parts.setdefault(name, []).append(column)
            for name, found in parsed.found.items():
                self._combine(name, found, parsed.columns[name])
                if name in self._reread:
                    parts.pop(name, None)
                else:
                    parts.setdefault(name, []).append(parsed.columns[name])
        if self._reread:
            self._read_again(block.file, blocks(), parts)
        self._leave_out_unnamed(block)
        wanted = [name for name in self.names if name in parts and name not in self.drop]
        return {name: self._joined(name, parts.pop(name)) for name in wanted}

    def _read_again(self, file: str, blocks: Iterable[Block], parts: dict[str, list[Column | None]]) -> None:
        """Read the columns that turned out to be texts. Raises `DataError` if the number of rows has changed."""
        import pyarrow as pa

        types = dict.fromkeys(self._reread, self.parser.category)
        counts = []
        with contextlib.suppress(pa.ArrowException):
            for _, texts in parallel_map(lambda block: self.parser.parse(block, types, list(types)), blocks):
                counts.append(texts.num_rows)
                for name in types if texts.num_rows else ():
                    parts.setdefault(name, []).append(to_texts(texts[name]))
        if counts != self.counts:
            raise DataError(f"{file} has changed while it was read; start again when nothing writes to it")

    def kinds(self, blocks: Blocks) -> dict[str, Kind]:
        """Return the kind of each column that is not dropped, in the order of the file."""
        for block, parsed in parallel_map(lambda block: self._parse(block, whole=False), blocks()):
            self.names = self.names or block.names
            for name, found in parsed.found.items():
                self._combine(name, found, None)
            if not self._undecided(self.names, whole=False):
                break
        self._leave_out_unnamed(block)
        return {
            name: self.given[name] if name in self.given else _KINDS[self._types.get(name, "empty")]
            for name in self.names
            if name not in self.drop
        }

    def _leave_out_unnamed(self, block: Block) -> None:
        """Drop columns without a name: an index of whole numbers in the first place, and empty columns.

        Any other first column is kept, with a warning. Raises `DataError` for such a column in another place.
        """
        for name in sorted(block.unnamed - self.drop - self.given.keys()):
            found, place = self._types.get(name, "empty"), 1 + self.names.index(name)
            if found == "empty" or (found == "integer" and place == 1):
                self.drop.add(name)
            elif place > 1:
                raise DataError(f"{block.file}: column {place} has no name; name it, or leave this column out")
            if found == "integer":
                warn(f"{block.file}: {LIKE_INDEX}. To confirm this, set  drop: ['{name}']")
            elif found != "empty":
                what = f"the first column has no name; here it is called '{name}'"
                warn(f"{block.file}: {what}. To leave it out, set  drop: ['{name}']")

    def _undecided(self, names: Sequence[str], whole: bool) -> list[str]:
        """Return the columns to parse; without `whole`, columns that are known to be texts are left out."""
        passed = self.drop | set(self.given) | set(self._reread)
        if not whole:
            passed |= {name for name in names if self._types.get(name) == "text"}
        return [name for name in names if name not in passed]

    def _parse(self, block: Block, whole: bool) -> _ParsedBlock:
        """Parse a block; without `whole`, return no cells."""
        import pyarrow as pa

        given = [name for name in block.names if name in self.given and name not in self.drop] if whole else []
        others = self._undecided(block.names, whole)
        types = {name: self.parser.category for name in others if self._types.get(name) == "text"}
        columns: dict[str, Column] | None = None
        try:
            wanted = [*given, *others] or [block.names[0]]  # an empty list would mean all columns
            table = self.parser.parse(block, types | {name: self.parser.types[name] for name in given}, wanted)
            columns = self.parser.converted(table, given)
        except pa.ArrowInvalid:
            if whole:
                block.refuse_ragged()
        if columns is None:
            columns = self.parser.columns(block, given)[0] if given else {}
            try:
                skip = None if whole else (lambda _: "skip")  # whoever reads the cells later has to know what to do
                table = self.parser.parse(block, types, others or [block.names[0]], skip)
            except pa.ArrowInvalid as error:
                raise DataError(f"{block.file}: {str(error).splitlines()[0]}") from None
        if not table.num_rows:
            return _ParsedBlock(0, {}, {}, {})
        found = {name: self._type_of(block, name, table[name].type) for name in others}
        arrays = {name: _array(table[name]) for name in others} if whole else {}
        if zoned := [name for name in others if found[name] == "zoned date"]:  # Arrow has dropped their offsets
            texts = self.parser.parse(block, dict.fromkeys(zoned, self.parser.text), zoned)
            for name in zoned:
                arrays[name], bad = parse_dates(texts[name])
                if bad is not None:
                    found[name], arrays[name] = "text", np.empty(0)  # it is read again as texts
        return _ParsedBlock(table.num_rows, columns, found, arrays)

    def _combine(self, name: str, new: CellType, column: Column | None) -> None:
        """Combine the type of a column in a block with its type in all blocks before."""
        before = self._types.get(name, "empty")
        if "empty" in (new, before):
            after = new if before == "empty" else before
        elif {new, before} == {"integer", "decimal"}:
            after = "decimal"
        else:
            after = new if new == before else "text"
        if after == "text" and (before not in ("empty", "text") or not (column is None or isinstance(column, Texts))):
            self._reread[name] = None
        self._types[name] = after

    def _type_of(self, block: Block, name: str, kind: Any) -> CellType:
        import pyarrow as pa

        types = pa.types
        if types.is_null(kind):
            return "empty"
        if types.is_integer(kind):
            return "text" if self._has_hexadecimals(block, name) else "integer"
        if types.is_floating(kind):
            return "decimal"
        if types.is_boolean(kind):
            return "truth"
        if types.is_date(kind):
            return "date"
        if types.is_timestamp(kind):
            return "zoned date" if kind.tz else "date"
        return "text"

    def _has_hexadecimals(self, block: Block, name: str) -> bool:
        """Return whether pyarrow has read a text such as 0x1F as a number."""
        import pyarrow as pa

        if not any(mark in block.data and b"0" + mark in block.data for mark in (b"x", b"X")):
            return False
        try:
            self.parser.parse(block, {name: pa.float64()}, [name])
        except pa.ArrowInvalid:
            return True
        return False

    def _joined(self, name: str, parts: list[Column | None]) -> Column:
        """Return one column made of its parts; None is a block of gaps."""
        found = self._types.get(name)
        lengths = [n for n in self.counts if n]
        if any(isinstance(part, Texts) for part in parts):
            texts = [_gaps(n) if part is None else part for part, n in zip(parts, lengths, strict=True)]
            return Texts.concatenate(texts)  # type: ignore[arg-type]
        gap = np.datetime64("NaT", "us") if found in ("date", "zoned date") else np.nan
        arrays = [np.full(n, gap) if part is None else part for part, n in zip(parts, lengths, strict=True)]
        return concatenate_columns(arrays) if len(arrays) > 1 else arrays[0]


def _array(column: Any) -> Column | None:
    """Return a part of a column, or None if it holds only gaps. A cell that is not a finite number becomes infinite.

    The result is `Texts` only if it holds the texts of the file unchanged.
    """
    import pyarrow as pa

    if pa.types.is_null(column.type):
        return None
    if pa.types.is_time(column.type):
        return np.empty(0)  # it is read again as texts
    found = to_column(column)
    if pa.types.is_floating(column.type) and isinstance(found, np.ndarray) and not all_finite(found, column.null_count):
        found = np.where(np.isnan(found) & ~_null(column), np.inf, found)
    return found


def _null(column: Any) -> Array:
    return np.asarray(column.is_null().to_numpy())


def _gaps(n: int) -> Texts:
    return Texts(np.full(n, -1, np.int32), np.empty(0, object))
