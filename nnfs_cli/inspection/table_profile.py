"""Profile a table, in a file or given in Python: how to read it, what its columns hold, and how many rows it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nnfs_cli.config.yaml import dump_value
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.excel import Excel
from nnfs_cli.data.file_source import ColumnFile, source_class_for
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.left_out import LeftOut, kinds_of_most
from nnfs_cli.data.parsing.recognise import Recognised
from nnfs_cli.data.source import with_kinds
from nnfs_cli.data.sql.source import QuerySource
from nnfs_cli.data.table import Table, concatenate_tables
from nnfs_cli.errors import DataError
from nnfs_cli.inspection.column_kinds import ColumnProfile, profile_column, profile_columns
from nnfs_cli.inspection.csv_dialect import dialect_of, header_is_numbers
from nnfs_cli.inspection.disguises import disguises, misfits_of, parse, words_for_nothing
from nnfs_cli.inspection.sheet_layout import layout_of
from nnfs_cli.system.matching import matching_files
from nnfs_cli.system.remote.file import Location
from nnfs_cli.system.wording import did_you_mean, listing, named

LARGE = 500_000_000  # bytes: of a larger file only the first rows are profiled
ROWS = 200_000  # rows of a large file that are profiled
MAX_NULLS = 20  # different spellings of a missing value; each pass finds only one spelling of NaN in a column
MANY = 100  # columns that a message lists, at most


@dataclass(frozen=True)
class TableProfile:
    """What a table holds: the settings to read it with, its columns, and its number of rows.

    `path` is None for a table given in Python and for a query. For a large file `table` holds the first rows only, and
    `n_rows` is an estimate.
    """

    path: Location | None
    source: str  # the name of the data set, such as csv or table
    settings: Mapping[str, Any]
    table: Table
    columns: Mapping[str, ColumnProfile]
    n_rows: int
    odd: tuple[str, ...] = ()  # sentences about cells in columns of numbers that look like typing errors
    index: str | None = None  # a column without a name that numbers the rows
    reasons: Mapping[str, str] = field(default_factory=dict)  # why a setting was chosen, by its key
    parsed: Mapping[str, Recognised] = field(default_factory=dict)  # how columns of texts are read in the table

    @property
    def n_columns(self) -> int:
        """The number of columns of the file."""
        made = sum(len(one.parser.outputs(name)) - 1 for name, one in self.parsed.items())
        return len(self.columns) - made + len(self.table.unreadable) + (self.index is not None)

    @property
    def partial(self) -> bool:
        """Whether only the first rows were profiled."""
        return self.table.n_rows < self.n_rows

    def has_misfits(self, name: str) -> bool:
        """Return whether a column of texts that are parsed has cells that cannot be read."""
        return name in self.parsed and bool(misfits_of(name, self.parsed[name]))


def profile_file(
    path: Location, target: str, encoding: str | None = None, delimiter: str | None = None, sheet: str | None = None
) -> TableProfile:
    """Profile a file, or the files in a folder; `sheet` is that of a workbook.

    The `target` may name several columns, see `named_targets`. Raises `DataError` when the file cannot be read or lacks
    one of them.
    """
    _refuse_missing(path)
    source_class = source_class_for(path, ColumnFile)
    if sheet is not None and source_class.name != "excel":
        raise DataError(f"{path.name} is not a workbook: --sheet is for Excel and OpenDocument files")
    settings: dict[str, Any] = {}
    codes: frozenset[str] = frozenset()
    index: str | None = None
    reasons: Mapping[str, str] = {}
    if source_class.name == "csv":
        delimiter = "\t" if delimiter == r"\t" else delimiter
        _check_options(source_class, path, {"encoding": encoding, "delimiter": delimiter})
        dialect = dialect_of(source_class(path=path, target="?").files[0], encoding, delimiter)
        if header_is_numbers(dialect.header) and not {target, *_apart(target)} & {*dialect.header}:
            first = listing(map(named, dialect.header[:3]))
            raise DataError(f"{path.name}, line 1: {first} are not column names. Add a line with the names")
        settings, codes, reasons = dict(dialect.settings), dialect.code_columns, dialect.reasons
        index = dialect.index if dialect.index not in (target, *_apart(target)) else None
    elif encoding or delimiter:
        raise DataError(f"{path.name} is not a CSV file: --encoding and --delimiter are for CSV files")
    elif source_class.name == "excel":
        settings = layout_of(Excel(path=path, target="?", sheet=sheet))

    def read() -> tuple[Table, int]:
        drop = {"drop": index} if index else {}
        return read_some(source_class(path=path, target=target or "?", **settings, **drop))

    table, n_rows = read()
    targets = named_targets(table, target)
    if source_class.name != "csv":
        return replace(_typed(path, source_class.name, table, n_rows, targets), settings=settings)
    columns = profile_columns(table, codes)
    found = disguises(table, columns, targets)
    odd = {name: one for name, one in columns.items() if one.odd and name not in targets}
    nulls: list[str] = []
    while len(nulls) < MAX_NULLS and (new := _new(nulls, _nulls(columns, targets), words_for_nothing(table, found))):
        nulls = settings["null"] = [*nulls, *new]
        table, n_rows = read()
        columns = profile_columns(table, codes)
        found = disguises(table, columns, targets)
    sentences = tuple(f"{named(name)} {one.why}" for name, one in odd.items())
    profile = TableProfile(path, source_class.name, settings, table, columns, n_rows, sentences, index, reasons)
    return _parsed(profile, found)


def profile_query(source: QuerySource, target: str, folder: Path) -> TableProfile:
    """Profile the rows of a query. In the settings, paths are relative to `folder`.

    Raises `DataError` when there are no rows or they have no column `target`.
    """
    table, n_rows = read_some(source)
    targets = named_targets(table, target)
    given = source.model_dump(mode="json", exclude_defaults=True, exclude={"target"}, context={"folder": folder})
    return replace(_typed(None, source.name, table, n_rows, targets), settings=given)


def named_targets(table: Table, target: str) -> tuple[str, ...]:
    """Return the targets in a text: the column of this name, or else the names between commas.

    Raises `DataError` without a target, with the columns that may be one, or if the table has no such column.
    """
    if not target:
        names = list(table.columns)
        more = f" and {len(names) - MANY:,} more columns" if len(names) > MANY else ""
        known = dump_value(names[:MANY])[1:-1]
        raise DataError(f"choose the column to predict with --target; {table.name} has {known}{more}")
    targets = (target,) if table.has(target) else _apart(target)
    for name in targets or (target,):
        if not table.has(name):
            raise DataError(table.no_such_column(name))
    return targets


def _apart(target: str) -> tuple[str, ...]:
    """Return the names between commas, each once."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, target.split(",")))))


def profile_table(source: InMemory) -> TableProfile:
    """Profile a table given in Python. Raises `DataError` when it has no rows or lacks the target."""
    table = source.read()
    for name in source.target:
        if not table.has(name):
            raise DataError(table.no_such_column(name))
    categories = source.categories().difference(source.target)
    return _typed(None, source.name, table, table.n_rows, source.target, categories)


def _typed(
    path: Location | None,
    source: str,
    table: Table,
    n_rows: int,
    targets: Sequence[str],
    categories: frozenset[str] = frozenset(),
) -> TableProfile:
    """Profile a table whose source has types, so that there are no settings to read it with."""
    columns = profile_columns(table, categories, typed=True)
    table = with_kinds(table, {name: "date" for name, column in columns.items() if column.as_texts})
    profile = TableProfile(path, source, {}, table, columns, n_rows)
    others = {name: column for name, column in columns.items() if name not in categories}
    return _parsed(profile, disguises(table, others, targets))


def _parsed(profile: TableProfile, found: Mapping[str, Recognised]) -> TableProfile:
    """Return the profile of the table with columns of texts read as what they mean."""
    if not found:
        return profile
    table = parse(profile.table, found)
    columns = {name: profile.columns.get(name) for name in table.columns}
    made = {name: one if one and name not in found else profile_column(table, name) for name, one in columns.items()}
    misfits = tuple(filter(None, (misfits_of(name, one) for name, one in found.items())))
    return replace(profile, table=table, columns=made, odd=(*profile.odd, *misfits), parsed=found)


def _new(known: Sequence[str], *found: Iterable[str]) -> list[str]:
    """Return the texts that are not known, each once."""
    return list(dict.fromkeys(text for texts in found for text in texts if text not in known))


def _check_options(source_class: type[ColumnFile], path: Location, options: Mapping[str, str | None]) -> None:
    """Raise `DataError` for an option that a config would not accept either."""
    try:
        given = {key: value for key, value in options.items() if value is not None}
        source_class.model_validate({"path": path, "target": "?", **given})
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(f"--{first['loc'][0]}: {first['msg']}") from None


def _refuse_missing(path: Location) -> None:
    """Raise `DataError` when the file does not exist."""
    if isinstance(path, Path) and not path.is_dir() and not all(file.is_file() for file in matching_files(path)):
        near = did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise DataError(f"there is no file {path}{near}")


def read_some(source: ColumnSource, skips: bool = False) -> tuple[Table, int]:
    """Return the table, or the first rows of a large one, and the number of rows in all.

    `skips` says that rows with faults are left out.
    """
    if source.size() <= LARGE and not skips:
        table = source.read()
        return table, table.n_rows
    source, chunks, n_rows, without = source.settled(), [], 0, LeftOut({}, skips)
    for chunk in source.chunks(kinds_of_most(source, {}) if skips else source.kinds(), faults=skips):
        chunks.append(without.kept(chunk))
        n_rows += chunk.n_rows
        if n_rows >= ROWS:
            return concatenate_tables(chunks), max(n_rows, source.estimate_rows(n_rows))
    table = concatenate_tables(chunks)
    return table, table.n_rows


def _nulls(columns: Mapping[str, ColumnProfile], targets: Sequence[str]) -> tuple[str, ...]:
    """Return the spellings of a missing value. A typing error in a target is not one: its value is needed."""
    nulls = [(one, null) for one in columns.values() for null in one.nulls]
    return tuple(dict.fromkeys(null for one, null in nulls if one.name not in targets or null not in one.odd))
