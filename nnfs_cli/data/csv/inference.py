"""What the columns of CSV are, where nobody said: all of their cells show it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.arrow import finite, to_column, to_texts
from nnfs_cli.data.csv.blocks import Block
from nnfs_cli.data.csv.cell_parser import CellParser
from nnfs_cli.data.parallel_map import parallel_map
from nnfs_cli.data.table import Column, Kind
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError

Found = Literal["nothing", "whole", "broken", "switch", "date", "zoned", "text"]
Blocks = Callable[[], Iterable[Block]]

_KINDS: dict[Found, Kind] = {
    "nothing": "number",
    "whole": "number",
    "broken": "number",
    "switch": "number",
    "date": "date",
    "zoned": "date",
    "text": "category",
}


class _Seen(NamedTuple):
    """What there is in a block: given columns, and of the others what they are, and the cells; None for gaps alone."""

    n_rows: int
    given: dict[str, Column]
    found: dict[str, Found]
    columns: dict[str, Column | None]


class Inference:
    """Goes through all blocks. `given` columns are of the kinds that `cells` takes them for; `drop` are not looked at.

    Afterwards `names` are those in the file, and `counts` the rows of each block.
    """

    def __init__(self, cells: CellParser, given: Mapping[str, Kind], drop: Sequence[str]) -> None:
        self.cells, self.given, self.drop = cells, given, set(drop)
        self.names: tuple[str, ...] = ()
        self.counts: list[int] = []
        self._found: dict[str, Found] = {}
        self._again: dict[str, None] = {}  # columns that turned out to be texts after something else

    def read(self, blocks: Blocks) -> dict[str, Column]:
        """All rows of all columns but those to drop, in the order of the file."""
        parts: dict[str, list[Column | None]] = {}
        for block, seen in parallel_map(lambda block: self._see(block, whole=True), blocks()):
            self.names = self.names or block.names
            self.counts.append(seen.n_rows)
            if not seen.n_rows:
                continue
            for name, column in seen.given.items():
                parts.setdefault(name, []).append(column)
            for name, found in seen.found.items():
                self._learn(name, found, seen.columns[name])
                if name in self._again:
                    parts.pop(name, None)
                else:
                    parts.setdefault(name, []).append(seen.columns[name])
        if self._again:
            self._read_again(block.file, blocks(), parts)
        wanted = [name for name in self.names if name in parts]
        return {name: self._joined(name, parts.pop(name)) for name in wanted}

    def _read_again(self, file: str, blocks: Iterable[Block], parts: dict[str, list[Column | None]]) -> None:
        """Add the columns that turned out to be texts. Raises `DataError` where the rows are others than before."""
        import pyarrow as pa

        types = dict.fromkeys(self._again, self.cells.words)
        counts = []
        with contextlib.suppress(pa.ArrowException):
            for _, texts in parallel_map(lambda block: self.cells.parse(block, types, list(types)), blocks):
                counts.append(texts.num_rows)
                for name in types if texts.num_rows else ():
                    parts.setdefault(name, []).append(to_texts(texts[name]))
        if counts != self.counts:
            raise DataError(f"{file} has changed while it was read; begin again when it is at rest")

    def kinds(self, blocks: Blocks) -> dict[str, Kind]:
        """What each column but those to drop is taken for, in the order of the file."""
        for block, seen in parallel_map(lambda block: self._see(block, whole=False), blocks()):
            self.names = self.names or block.names
            for name, found in seen.found.items():
                self._learn(name, found, None)
            if not self._open(self.names, whole=False):
                break
        return {
            name: self.given[name] if name in self.given else _KINDS[self._found.get(name, "nothing")]
            for name in self.names
            if name not in self.drop
        }

    def _open(self, names: Sequence[str], whole: bool) -> list[str]:
        """The columns to look at; those that are known to be texts only where the `whole` of them is wanted."""
        passed = self.drop | set(self.given) | set(self._again)
        if not whole:
            passed |= {name for name in names if self._found.get(name) == "text"}
        return [name for name in names if name not in passed]

    def _see(self, block: Block, whole: bool) -> _Seen:
        """What there is in a block; without the cells themselves, unless the `whole` is wanted."""
        import pyarrow as pa

        given = [name for name in block.names if name in self.given and name not in self.drop] if whole else []
        others = self._open(block.names, whole)
        types = {name: self.cells.words for name in others if self._found.get(name) == "text"}
        columns: dict[str, Column] | None = None
        try:
            wanted = [*given, *others] or [block.names[0]]  # none would be all
            table = self.cells.parse(block, types | {name: self.cells.types[name] for name in given}, wanted)
            columns = self.cells.converted(table, given)
        except pa.ArrowInvalid:
            block.refuse_ragged()
        if columns is None:
            columns = self.cells.columns(block, given)[0]
            try:
                table = self.cells.parse(block, types, others or [block.names[0]])
            except pa.ArrowInvalid as error:
                raise DataError(f"{block.file}: {str(error).splitlines()[0]}") from None
        if not table.num_rows:
            return _Seen(0, {}, {}, {})
        found = {name: self._look(block, name, table[name].type) for name in others}
        arrays = {name: _array(table[name]) for name in others} if whole else {}
        return _Seen(table.num_rows, columns, found, arrays)

    def _learn(self, name: str, new: Found, column: Column | None) -> None:
        """Take note of what a column is in a block, and with that in all of them so far."""
        before = self._found.get(name, "nothing")
        if "nothing" in (new, before):
            after = new if before == "nothing" else before
        elif {new, before} == {"whole", "broken"}:
            after = "broken"
        else:
            after = new if new == before else "text"
        if after == "text" and (before not in ("nothing", "text") or not (column is None or isinstance(column, Texts))):
            self._again[name] = None
        self._found[name] = after

    def _look(self, block: Block, name: str, kind: Any) -> Found:
        import pyarrow as pa

        types = pa.types
        if types.is_null(kind):
            return "nothing"
        if types.is_integer(kind):
            return "text" if self._has_hexadecimals(block, name) else "whole"
        if types.is_floating(kind):
            return "broken"
        if types.is_boolean(kind):
            return "switch"
        if types.is_date(kind):
            return "date"
        if types.is_timestamp(kind):
            return "zoned" if kind.tz else "date"
        return "text"

    def _has_hexadecimals(self, block: Block, name: str) -> bool:
        """Whether pyarrow took any 0x1F for a number."""
        import pyarrow as pa

        if not any(mark in block.data and b"0" + mark in block.data for mark in (b"x", b"X")):
            return False
        try:
            self.cells.parse(block, {name: pa.float64()}, [name])
        except pa.ArrowInvalid:
            return True
        return False

    def _joined(self, name: str, parts: list[Column | None]) -> Column:
        """One column of its parts; None stands for a block of gaps."""
        found = self._found.get(name)
        lengths = [n for n in self.counts if n]
        if any(isinstance(part, Texts) for part in parts):
            texts = [_gaps(n) if part is None else part for part, n in zip(parts, lengths, strict=True)]
            return Texts.concatenate(texts)  # type: ignore[arg-type]
        gap = np.datetime64("NaT", "us") if found in ("date", "zoned") else np.nan
        arrays = [np.full(n, gap) if part is None else part for part, n in zip(parts, lengths, strict=True)]
        return np.concatenate(arrays) if len(arrays) > 1 else arrays[0]  # type: ignore[arg-type]


def _array(column: Any) -> Column | None:
    """A part of a column; None where all of it are gaps. A cell that is no finite number is an infinity.

    What stands in the words of the file comes as `Texts`, and nothing else does.
    """
    import pyarrow as pa

    if pa.types.is_null(column.type):
        return None
    if pa.types.is_time(column.type):
        return np.empty(0)  # it is to be read again
    found = to_column(column)
    if pa.types.is_floating(column.type) and isinstance(found, np.ndarray) and not finite(found, column.null_count):
        found = np.where(np.isnan(found) & ~_null(column), np.inf, found)
    return found


def _null(column: Any) -> Array:
    return np.asarray(column.is_null().to_numpy())


def _gaps(n: int) -> Texts:
    return Texts(np.full(n, -1, np.int32), np.empty(0, object))
