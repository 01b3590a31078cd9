"""The rows that a config names, read and split: in memory, or in files that are larger than it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump_value
from nnfs_cli.data.file_source import ColumnSource, source_for
from nnfs_cli.data.labels import class_indices, find_classes
from nnfs_cli.data.numbers import is_number
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.split import SPLITS
from nnfs_cli.data.table import Kind, Label, Table, concatenate_tables, row_slices
from nnfs_cli.data.weights import UnknownLabelError, resolve_class_weights
from nnfs_cli.errors import DataError, Fault, NnfsWarning
from nnfs_cli.system.wording import counted, named

MACHINERY = 200_000_000  # bytes that the program takes, with the piece of a table that it is reading


@dataclass(frozen=True)
class Budget:
    """How a memory limit is shared out, in bytes: a half of what the program leaves may be a table, if it fits."""

    table: int

    @classmethod
    def of(cls, config: Config) -> Budget | None:
        """None without a limit. Raises `ConfigError` for one that nothing fits in."""
        if config.memory_limit is None:
            return None
        left = config.memory_limit - MACHINERY
        if left < MACHINERY // 4:
            message = f"the program itself takes {MACHINERY // 10**6} MB; expected 250 MB or more"
            raise config.error([Fault(("memory_limit",), message)])
        return cls(left // 2)

    def rows(self, row_bytes: int) -> int:
        """How many rows of this size may be in memory for figures and statistics."""
        return max(1_000, self.table // 4 // row_bytes)

    def window(self, row_bytes: int) -> int:
        """How many rows are shuffled among each other."""
        return max(2_048, min(1_000_000, self.table // 4 // row_bytes))


@dataclass(frozen=True)
class CellFinder:
    """Finds the cells of a table that is gone through anew for each, since nothing of it is kept."""

    blocks: Callable[[], Iterator[Table]]
    rows: Array | None = None  # the places (n,) of the rows that are asked for; all of them without

    def find(self, row: int, name: str) -> tuple[str, str]:
        """Where the cell stands, and what is written there."""
        at = before = row if self.rows is None else int(self.rows[row])
        for block in self.blocks():
            if at < block.n_rows:
                return block.locate(at, name, before)
            at -= block.n_rows
        raise DataError(f"row {before + 1} is gone: the table is no longer what it was when it was read")


@dataclass(frozen=True)
class TableReader:
    """A table that may be gone through as often as needed: what it is called, and its blocks of rows, in order."""

    name: str
    sha256: str
    blocks: Callable[[], Iterator[Table]]
    survey: Table  # all rows, with the columns at least that decide which split a row belongs to


@dataclass(frozen=True)
class LoadedData:
    """The rows of each split and how their columns are taken.

    `kinds` are the input columns; `rows` (n,) are the places of a split's rows in its source, ascending, without those
    of weight 0. With a `budget`, they are not in memory and must not be.
    """

    readers: Mapping[str, TableReader]  # of each split
    rows: Mapping[str, Array]
    kinds: Mapping[str, Kind]
    classes: tuple[Label, ...] | None
    class_weights: tuple[float, ...] | None
    budget: Budget | None

    def blocks(self, split: str) -> Iterator[tuple[Table, Array, int]]:
        """The rows of a split, block by block: a table, the places in it, and how many of the split were before."""
        rows, start = self.rows[split], 0
        for block in self.readers[split].blocks() if len(rows) else ():
            low, high = np.searchsorted(
                rows, np.array([start, start + block.n_rows], rows.dtype)
            )  # else it copies them
            if high > low:
                yield block, rows[low:high] - start, int(low)
            start += block.n_rows


def load_data(config: Config) -> LoadedData:
    """Read what the config names and settle which rows are of which split, and what each column is taken for.

    A table that is too large for the config's memory limit is not held but gone through as often as needed.
    Raises `DataError` or `ConfigError` where config and data do not go together.
    """
    dataset, budget = config.dataset, Budget.of(config)
    held = budget is None or not isinstance(dataset, ColumnSource) or _size(dataset) <= budget.table
    given = _given_kinds(config)
    if isinstance(dataset, ColumnSource) and not held:
        kinds = dataset.kinds(given)
        first = next(dataset.chunks(kinds))
    else:
        first = dataset.read(given)
        kinds = {name: given.get(name, first.kind(name)) for name in first.columns}
    _require_columns(config, first)
    inputs = _inputs(config, first, kinds)
    kinds = {name: kind for name, kind in kinds.items() if name in {*inputs, *_roles(config)}} | inputs

    def reader(one: DataSource) -> TableReader:
        if isinstance(one, ColumnSource) and not held:
            return _streamed(one, kinds, _decisive(config))
        return _held(first if one is dataset else one.read(kinds))

    readers = dict.fromkeys(SPLITS, reader(dataset))
    survey, classes, indices = readers["train"].survey, None, None
    if config.loss.task == "classification":
        target = dataset.target_columns()
        if len(target) != 1:
            raise DataError(f"{config.loss.name} has one target, and {first.name} is to give {len(target)}")
        classes = find_classes(survey, target[0])
        indices = class_indices(survey, target[0], classes)
    rows = config.split.divide(survey, indices, config.seed)
    for split, path in config.split.files.items():
        readers[split] = reader(source_for(path, dataset))
        rows[split] = np.arange(readers[split].survey.n_rows)
    column = dataset.weight_column()
    for split in SPLITS if column else ():
        table = readers[split].survey
        if table.has(str(column)):
            rows[split] = _counting(table, split, rows[split], table.numbers(str(column))[rows[split]])
        elif len(rows[split]):
            say_alike(table, str(column))
    class_weights = None
    if config.class_weights is not None and classes is not None and indices is not None:
        truth = indices[rows["train"]]
        class_weights = _class_weights(config, survey, rows["train"], classes, truth)
        rows["train"] = _counting(survey, "train", rows["train"], np.array(class_weights)[truth])
    return LoadedData(readers, rows, inputs, classes, class_weights, None if held else budget)


def _size(source: ColumnSource) -> int:
    """About how many bytes the table takes in memory."""
    return sum(os.path.getsize(path) * (5 if path.suffix in (".gz", ".zst") else 1) for path in source.files) * 3 // 2


def _held(table: Table) -> TableReader:
    def blocks() -> Iterator[Table]:
        for rows in row_slices(table.n_rows):
            yield table.take(rows) if rows.stop < table.n_rows or rows.start else table

    return TableReader(table.name, table.sha256, blocks, table)


def _streamed(source: ColumnSource, kinds: Mapping[str, Kind], decisive: Mapping[str, None]) -> TableReader:
    stamp = source.stamp()

    def blocks(kinds: Mapping[str, Kind]) -> Iterator[Table]:
        """Raises `DataError` where the files have changed since the first time."""
        if source.stamp() == stamp:
            yield from source.chunks(kinds)
        if source.stamp() != stamp:
            raise DataError(f"{source.path.name} has changed while it was read; begin again when it is at rest")

    needed = {name: kinds[name] for name in decisive if name in kinds}
    chunks = blocks(needed or dict(list(kinds.items())[:1]))
    tables = [replace(chunk, find=None) for chunk in chunks] if needed else [_only_counted(chunk) for chunk in chunks]
    finder = CellFinder(lambda: blocks(needed))
    survey = replace(concatenate_tables(tables), find=finder.find)
    return TableReader(survey.name, source.sha256(), lambda: blocks(kinds), survey)


def _only_counted(chunk: Table) -> Table:
    """As many rows, of nothing much: with what finds, all of the text would be held, and with numbers all of those."""
    return replace(chunk, columns={name: np.zeros(chunk.n_rows, np.int8) for name in chunk.columns}, find=None)


def _given_kinds(config: Config) -> dict[str, Kind]:
    """What the config says of columns: by their own steps, or by their role."""
    target: Kind = "category" if config.loss.task == "classification" else "number"
    given: dict[str, Kind] = dict(config.preprocessing.kinds)
    given |= {name: kind for name, kind in config.split.columns.items() if kind}
    if weight := config.dataset.weight_column():
        given[weight] = "number"
    return given | {name: target for name in config.dataset.target_columns() if target == "category"}


def _roles(config: Config) -> dict[str, None]:
    """The columns that decide about rows: by which split or class they belong to, and how much they count."""
    target = config.dataset.target_columns()
    weight = config.dataset.weight_column()
    return dict.fromkeys([*target, *config.split.columns, *((weight,) if weight else ())])


def _decisive(config: Config) -> dict[str, None]:
    """Those of them that say which split a row belongs to."""
    numbers = config.dataset.target_columns() if config.loss.task == "regression" else ()
    return {name: None for name in _roles(config) if name not in numbers or name in config.split.columns}


def _inputs(config: Config, table: Table, kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    """The columns that the net learns from. Raises `DataError` for all of them that cannot be used as they are."""
    left_out = {*_roles(config), *config.dataset.dropped_columns()} - {*config.preprocessing.columns}
    if (time := config.split.time) and config.preprocessing.steps(time, kinds.get(time, "date")):
        left_out -= {time}  # when it was may well be worth knowing, other than whose it is
    names = [name for name in (*table.columns, *table.unreadable) if name not in left_out]
    names = [name for name in names if name not in config.dataset.target_columns()]
    if not names:
        raise DataError(f"{table.name} has no column left to learn from")
    wrong = {name: why for name in names if (why := _why_unusable(config, table, name, kinds.get(name)))}
    if wrong:
        raise DataError(_with_remedy(wrong, len(names), config))
    return {name: kinds[name] for name in names}


def _why_unusable(config: Config, table: Table, name: str, kind: Kind | None) -> str:
    """What is wrong with an input column; nothing when its steps can take it."""
    preprocessing = config.preprocessing
    try:
        column = table.column(name)
        if kind == "number":
            table.numbers(name, gaps=preprocessing.takes_gaps(name))
        elif not preprocessing.steps(name, kind or "category"):
            if kind == "category":
                _refuse_words(config, table, name)
            return f"{table.name}: column {named(name)} holds dates"
        elif kind == "category" and name not in preprocessing.columns and table.is_mostly_numbers(name):
            _refuse_words(config, table, name)
        del column
    except DataError as error:
        return str(error)
    return ""


def _refuse_words(config: Config, table: Table, name: str) -> None:
    """Raise `DataError` with the first cell that is no number; of what is not in memory it may be further on."""
    found = table.texts(name)
    words = found.distinct[np.unique(found.codes[~found.gaps])]
    if isinstance(config.dataset, ColumnSource) and all(is_number(word, table.decimal) for word in words):
        for _ in config.dataset.chunks({name: "number"}):
            pass
    table.numbers(name, gaps=True)


def _with_remedy(unusable: Mapping[str, str], n_inputs: int, config: Config) -> str:
    """What is wrong with the columns, and what to do about it."""
    lines = list(unusable.values())[:5]
    if len(unusable) > 5:
        lines.append(f"and {counted(len(unusable) - 5, 'more column')}")
    if not isinstance(config.dataset, ColumnSource):
        return "\n".join([*lines, "mend the file"])
    remedies = []
    gaps = any(" is empty" in why or "more row" in why for why in unusable.values())
    if gaps and not config.preprocessing.takes_gaps(""):
        remedies.append("fill gaps with  preprocessing: {numbers: [impute, standardize]}")
    if any("should hold numbers" in why for why in unusable.values()) and not config.preprocessing.categories:
        remedies.append("take words with  preprocessing: {categories: one_hot}")
    if any("holds dates" in why for why in unusable.values()) and not config.preprocessing.dates:
        remedies.append("take dates with  preprocessing: {dates: calendar}")
    if len(unusable) < n_inputs:
        remedies.append(f"leave columns out with  drop: {dump_value(list(unusable))}")
    return "\n".join([*lines, ", or ".join(["mend the file", *remedies])])


def _require_columns(config: Config, table: Table) -> None:
    """Raise `ConfigError` for every column that the config names and the table does not have."""
    source = ("dataset", config.dataset.name)
    named: list[tuple[tuple[str, ...], str]] = [((*source, "target"), name) for name in config.dataset.target_columns()]
    named += [((*source, "drop"), name) for name in config.dataset.dropped_columns()]
    named += [((*source, "weight"), name) for name in (config.dataset.weight_column(),) if name]
    named += [(("split", way), name) for way, name in config.split.column_by_key.items()]
    named += [(("preprocessing", "columns", name), name) for name in config.preprocessing.columns]
    faults = [
        Fault(path, table.no_such_column(name), at_key=path[0] == "preprocessing")
        for path, name in named
        if not table.has(name)
    ]
    if faults:
        raise config.error(faults)


def _counting(table: Table, split: str, rows: Array, weights: Array) -> Array:
    """Those of the rows of a split whose weight is not 0. Raises `DataError` when there were some and none is left."""
    if len(rows) and not weights.any():
        raise weightless(table.name, split)
    counting: Array = rows[weights != 0]
    return counting


def say_alike(table: Table, column: str) -> None:
    """Warn that a table lacks the column of weights."""
    message = f"{table.name} has no column {named(column)}: all its rows count alike"
    warnings.warn(message, NnfsWarning, stacklevel=3)


def weightless(name: str, split: str) -> DataError:
    """What to raise when no row of a split counts."""
    return DataError(f"{name}: all {split} rows have the weight 0, so there is nothing to go by")


def _class_weights(
    config: Config, table: Table, rows: Array, classes: tuple[Label, ...], truth: Array
) -> tuple[float, ...]:
    """The weights that the config gives to the classes; `truth` are the classes of the training `rows`."""
    column = config.dataset.weight_column()
    weights: Any = table.numbers(column)[rows] if column is not None else None
    try:
        return resolve_class_weights(config.class_weights or {}, classes, truth, weights)
    except UnknownLabelError as error:
        raise config.error([Fault(("class_weights", error.label), str(error), at_key=True)]) from None
