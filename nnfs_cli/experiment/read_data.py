"""The rows that a config names, read and split: in memory, or in files that do not fit into memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.file_source import source_for
from nnfs_cli.data.labels import class_indices, combinations, find_classes, find_pairs, in_order, label_indices
from nnfs_cli.data.left_out import LeftOut, kinds_of_most
from nnfs_cli.data.parsing import Parser
from nnfs_cli.data.parsing.parsed_columns import settled_without_cells
from nnfs_cli.data.source import NO_KINDS, DataSource
from nnfs_cli.data.split import SPLITS
from nnfs_cli.data.sql.source import QuerySource
from nnfs_cli.data.table import Kind, Label, Table
from nnfs_cli.data.weighted import row_weights
from nnfs_cli.data.weights import UnknownLabelError, resolve_class_weights
from nnfs_cli.errors import DataError, Fault
from nnfs_cli.experiment.holdout import rows_of_all
from nnfs_cli.experiment.input_columns import (
    given_kinds,
    input_columns,
    require_columns,
    role_columns,
    rows_left_out,
    splitting_columns,
    warn_about_texts,
)
from nnfs_cli.experiment.table_reader import TableReader, read_from_files, read_from_memory
from nnfs_cli.experiment.warnings import no_order, no_weight_column
from nnfs_cli.nn.losses.ordinal import Ordinal
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import named

MACHINERY = 200_000_000  # bytes that the program needs itself, with the block of a table that it is reading


@dataclass(frozen=True)
class Budget:
    """The memory that a run may use: half of what the program itself leaves free may hold a table."""

    table: int  # bytes

    @classmethod
    def of(cls, config: Config) -> Budget | None:
        """Return the budget of a config; None without a limit. Raises `ConfigError` if the limit is too low."""
        if config.memory_limit is None:
            return None
        left = config.memory_limit - MACHINERY
        if left < MACHINERY // 4:
            message = f"the program itself needs {MACHINERY // 10**6} MB; expected 250 MB or more"
            raise config.error([Fault(("memory_limit",), message)])
        return cls(left // 2)

    def rows(self, row_bytes: int) -> int:
        """Return how many rows of this size may be in memory for figures and statistics."""
        return max(1_000, self.table // 4 // row_bytes)

    def window(self, row_bytes: int) -> int:
        """Return how many rows of this size are shuffled together."""
        return max(2_048, min(1_000_000, self.table // 4 // row_bytes))


@dataclass(frozen=True)
class LoadedData:
    """The data of a config: a reader of the table of each split, and the rows that belong to the split.

    `rows` (n,) are the ascending indices of a split's rows in its table, without rows of weight 0. `kinds` are the
    kinds of the input columns. If there is a `budget`, encoded rows must not all be in memory at once, and perhaps the
    table is not in memory either.
    """

    readers: Mapping[str, TableReader]  # by split
    rows: Mapping[str, Array]  # by split
    kinds: Mapping[str, Kind]
    classes: tuple[Label, ...] | None
    class_weights: tuple[float, ...] | None
    budget: Budget | None
    parsers: Mapping[str, Parser] = field(default_factory=dict)  # of columns, with the settings that the rows settle
    pairs: tuple[tuple[Label, Label], ...] = ()  # the two labels of each target, if several are learned together
    left_out: LeftOut | None = None  # the rows that none of the tables has; None if the config leaves none out

    @property
    def n_cells(self) -> float:
        """The number of cells of all tables; infinite if they are not in memory."""
        tables = {id(reader.survey): reader.survey for reader in self.readers.values()}.values()
        return math.inf if self.budget is not None else sum(table.n_rows * len(table.columns) for table in tables)

    def blocks(self, split: str) -> Iterator[tuple[Table, Array, int]]:
        """Yield the rows of a split in blocks: a table, the indices of rows in it, and the number of rows before."""
        rows, start = self.rows[split], 0
        for block in self.readers[split].blocks() if len(rows) else ():
            bounds = np.array(
                [start, start + block.n_rows], rows.dtype
            )  # with another type, searchsorted would copy all rows
            low, high = np.searchsorted(rows, bounds)
            if high > low:
                yield block, rows[low:high] - start, int(low)
            start += block.n_rows


@cache  # a command may read the rows more than once
def _warn_of_no_order(query: str) -> None:
    warn(no_order())


def load_data(config: Config, known: Mapping[str, Kind] = NO_KINDS) -> LoadedData:
    """Read the data that a config names, and decide the split of each row and the kind of each column.

    A table that is too large for the memory limit is not kept in memory, but read as often as needed.
    A trained net has `known` kinds of columns, which decide how its tables are read.
    Raises `DataError` or `ConfigError` if config and data do not fit together.
    """
    dataset, budget = config.dataset, Budget.of(config)
    fits = budget is None or not isinstance(dataset, ColumnSource) or dataset.table_size() <= budget.table
    if isinstance(dataset, QuerySource) and not dataset.is_ordered:
        _warn_of_no_order(dataset.query)
    given = {**known, **given_kinds(config)}
    skips = config.on_error == "skip"
    if isinstance(dataset, ColumnSource) and (skips or not fits):
        dataset = dataset.settled()
        kinds = kinds_of_most(dataset, given) if skips else dataset.kinds(given)
        first = next(dataset.chunks(kinds, faults=skips))
    else:
        first = dataset.read(given)
        kinds = {name: given.get(name, first.kind(name)) for name in first.columns}
    left_out, by_pieces = rows_left_out(config, kinds), isinstance(dataset, ColumnSource) and (skips or not fits)
    first = left_out.kept(first, count=not by_pieces)
    parsers = settled_without_cells({**config.parse, **first.parsers})
    dataset = dataset.parsed_by(parsers)
    require_columns(config, first)
    inputs = input_columns(config, first, kinds)
    if not known:
        warn_about_texts(config, first, inputs)
    used = {*inputs, *role_columns(config)}
    kinds = {name: kind for name, kind in kinds.items() if name in used} | inputs

    def reader(one: DataSource) -> TableReader:
        if not isinstance(one, ColumnSource) or not by_pieces:
            return read_from_memory(first if one is dataset else left_out.kept(one.read(kinds), count=True))
        found = read_from_files(one, kinds, kinds if fits else splitting_columns(config), left_out)
        return read_from_memory(replace(found.survey, sha256=found.sha256)) if fits else found

    readers = dict.fromkeys(SPLITS, reader(dataset))
    survey, target = readers["train"].survey, dataset.target_columns()
    if not survey.n_rows:
        raise DataError(f"{survey.name}: all rows are left out; the first because of this: {left_out.first}")
    classes, indices, strata = None, None, None
    pairs: tuple[tuple[Label, Label], ...] = ()
    if config.loss.task == "classification" and len(target) > 1 and config.loss.several_labels:
        pairs = find_pairs(survey, target)
        strata = combinations(label_indices(survey, target, pairs))
    elif config.loss.task == "classification":
        if len(target) != 1:
            raise DataError(f"{config.loss.name} needs one target, but {first.name} has {len(target)}")
        classes = _classes(config, survey, target[0])
        strata = indices = class_indices(survey, target[0], classes)
    rows = config.split.divide(survey, strata, config.seed)
    for split, path in config.split.files.items():
        readers[split] = reader(source_for(path, dataset))
        rows[split] = np.arange(readers[split].survey.n_rows)
    column = dataset.weight_column()
    for split in SPLITS if column else ():
        table = readers[split].survey
        if table.has(str(column)):
            rows[split] = _with_weight(table, split, rows[split], row_weights(table, str(column))[rows[split]])
        elif len(rows[split]):
            warn(no_weight_column(table.name, str(column)))
    class_weights = None
    if config.class_weights is not None and classes is not None and indices is not None:
        class_weights = class_weights_of(config, survey, rows["train"], classes, indices)
        rows["train"] = _with_weight(survey, "train", rows["train"], np.array(class_weights)[indices[rows["train"]]])
    within, counted = None if fits else budget, left_out if left_out else None
    return LoadedData(readers, rows, inputs, classes, class_weights, within, parsers, pairs, counted)


def _classes(config: Config, table: Table, target: str) -> tuple[Label, ...]:
    """Return the labels of the target; if their order means something, from lowest to highest."""
    classes = find_classes(table, target)
    if isinstance(config.loss, Ordinal):
        try:
            return in_order(classes, config.loss.order, f"the target {named(target)}")
        except ValueError as error:
            raise config.error([Fault(("loss", config.loss.name), str(error))]) from None
    return classes


def no_weight(name: str, split: str) -> DataError:
    """Return the error for a split whose rows all have weight 0."""
    return DataError(f"{name}: all {split} rows have weight 0, so none of them counts")


def _with_weight(table: Table, split: str, rows: Array, weights: Array) -> Array:
    """Return the rows of a split whose weight is not 0. Raises `DataError` if there are rows and all weigh 0."""
    if len(rows) and not weights.any():
        raise no_weight(table.name, split)
    counting: Array = rows[weights != 0]
    return counting


def class_weights_of(
    config: Config, table: Table, rows: Array, classes: tuple[Label, ...], indices: Array
) -> tuple[float, ...]:
    """Return the weights that the config gives to the classes.

    `rows` are the training rows, and `indices` (rows of the table,) the class of each row.
    """
    column, rows = config.dataset.weight_column(), rows_of_all(config, table, rows)
    weights: Any = table.numbers(column)[rows] if column is not None else None
    try:
        found = resolve_class_weights(config.class_weights or {}, classes, indices[rows], weights)
    except UnknownLabelError as error:
        raise config.error([Fault(("class_weights", error.label), str(error), at_key=True)]) from None
    if config.forward and config.class_weights == "balanced":  # a class may appear later; there, its rows count as one
        present = np.bincount(indices[rows], minlength=len(classes)) > 0
        found = tuple(weight if here else 1.0 for weight, here in zip(found, present, strict=True))
    return found
