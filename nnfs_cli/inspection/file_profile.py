"""A first look at a file: how it is written, what its columns are, and how many rows there are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nnfs_cli.config.yaml import dump_value
from nnfs_cli.data.file_source import ColumnSource, kind_of
from nnfs_cli.data.table import Table, concatenate_tables
from nnfs_cli.errors import DataError
from nnfs_cli.inspection.column_kinds import Look, look_at
from nnfs_cli.inspection.csv_dialect import dialect_of, no_names
from nnfs_cli.system.matching import matching_files
from nnfs_cli.system.wording import did_you_mean, listing, named

LARGE = 500_000_000  # bytes of a file of which only the first rows are looked at, once the kinds of all cells are known
ROWS = 200_000  # of such a file
SPELLINGS = 20  # of cells that stand for no value: of NaN in a column only one is found at a time


@dataclass(frozen=True)
class Glance:
    """A file as it was looked at: `settings` are those it is to be read with, `n_rows` what it has in all.

    Of a large file `table` is the beginning, and `n_rows` an estimate.
    """

    path: Path
    source: str  # the name of the data set's kind: csv or parquet
    settings: Mapping[str, Any]
    table: Table
    looks: Mapping[str, Look]
    n_rows: int
    odd: tuple[str, ...] = ()  # sentences on cells among numbers that look like slips of the pen

    @property
    def partial(self) -> bool:
        """Whether only its beginning was looked at."""
        return self.table.n_rows < self.n_rows


def glance(path: Path, target: str, encoding: str | None = None, delimiter: str | None = None) -> Glance:
    """Look at a CSV or Parquet file. Raises `DataError` when it cannot be read, or has no such target."""
    _refuse_missing(path)
    member = kind_of(path, ColumnSource)
    settings: dict[str, Any] = {}
    codes: frozenset[str] = frozenset()
    if member.name == "csv":
        delimiter = "\t" if delimiter == r"\t" else delimiter
        _check_options(member, path, {"encoding": encoding, "delimiter": delimiter})
        dialect = dialect_of(matching_files(path)[0], encoding, delimiter)
        if no_names(dialect.header) and target not in dialect.header:
            first = listing(map(named, dialect.header[:3]))
            raise DataError(f"{path.name}, line 1: {first} are no names of columns; write a line with names on top")
        settings, codes = dict(dialect.settings), dialect.zeros
    elif encoding or delimiter:
        raise DataError(f"{path.name} is a Parquet file, which has neither an encoding nor a delimiter")
    source = member(path=path, target=target or "?", **settings)
    table, n_rows = read_some(source)
    if not target:
        known = dump_value(list(table.columns))[1:-1]
        raise DataError(f"which column is to be predicted? give it with --target; {path.name} has {known}")
    if not table.has(target):
        raise DataError(table.no_such_column(target))
    looks = look_at(table, codes)
    odd = {name: one for name, one in looks.items() if one.odd and name != target}
    nulls: list[str] = []
    while len(nulls) < SPELLINGS and (new := [null for null in _nulls(looks, target) if null not in nulls]):
        nulls = settings["null"] = [*nulls, *new]
        table, n_rows = read_some(member(path=path, target=target, **settings))
        looks = look_at(table, codes)
    sentences = tuple(f"{named(name)} {one.why}" for name, one in odd.items())
    return Glance(path, member.name, settings, table, looks, n_rows, sentences)


def _check_options(member: type[ColumnSource], path: Path, options: Mapping[str, str | None]) -> None:
    """Raise `DataError` for an option that could be none of a config either."""
    try:
        member(path=path, target="?", **{key: value for key, value in options.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(f"--{first['loc'][0]}: {first['msg']}") from None


def _refuse_missing(path: Path) -> None:
    """Raise `DataError` when there is no such file."""
    if not path.is_dir() and not all(file.is_file() for file in matching_files(path)):
        near = did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise DataError(f"there is no file {path}{near}")


def read_some(source: ColumnSource) -> tuple[Table, int]:
    """The table, or the beginning of a large one, and how many rows there are in all."""
    size = sum(map(os.path.getsize, source.files))
    if size <= LARGE:
        table = source.read()
        return table, table.n_rows
    chunks, n_rows = [], 0
    for chunk in source.chunks(source.kinds()):
        chunks.append(chunk)
        n_rows += chunk.n_rows
        if n_rows >= ROWS:
            break
    return concatenate_tables(chunks), max(n_rows, _estimate(source.files[0], n_rows, size))


def _estimate(path: Path, n_rows: int, size: int) -> int:
    """About how many rows there are in `size` bytes, if all are as those at the beginning of a file."""
    if path.suffix in (".parquet", ".pq"):
        from pyarrow import parquet

        return round(int(parquet.read_metadata(path).num_rows) * size / os.path.getsize(path))
    lines = seen = 0
    with path.open("rb") as file:
        while lines < n_rows and (block := file.read(1 << 22)):
            lines += block.count(b"\n")
            seen += len(block)
    return round(size / seen * lines)


def _nulls(looks: Mapping[str, Look], target: str) -> tuple[str, ...]:
    """What stands for no value; a slip of the pen in the target does not: its value is needed."""
    nulls = [(one, null) for one in looks.values() for null in one.nulls]
    return tuple(dict.fromkeys(null for one, null in nulls if one.name != target or null not in one.odd))
