"""The figures of a net by the groups that a column of the table makes, such as its accuracy for women and for men."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.division import divisions_of
from nnfs_cli.data.numbers import is_number
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Column, Table, concatenate_columns
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import UserError
from nnfs_cli.experiment.read_data import LoadedData
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.wording import did_you_mean, named
from nnfs_cli.workflows.bootstrap import Interval, intervals
from nnfs_cli.workflows.figures import Scored, finite
from nnfs_cli.workflows.rows_of_split import rows_of_split


@dataclass(frozen=True)
class FiguresBy:
    """Figures by split, then by group, then by name, `rows` among them, and their 95 % confidence intervals.

    A group is a category, a range of numbers or of dates, or the rows whose cell is empty.
    """

    column: str
    figures: Mapping[str, Mapping[str, dict[str, Any]]]
    intervals: Mapping[str, Mapping[str, dict[str, Interval | None]]]

    def plain(self) -> dict[str, Any]:
        """Return all of it as a dict for JSON."""
        return {"column": self.column, "metrics": self.figures, "intervals": self.intervals}


def figures_by(name: str, cells: Mapping[str, Column], scored: Mapping[str, Scored], predictor: Predictor) -> FiguresBy:
    """Return the metrics of the config in each group of a column, whose `cells` (rows,) are given by split.

    Texts that are all numbers count as numbers. Categories are the 12 most frequent ones and all others; many numbers
    are dealt into eight groups.
    Raises `UserError` if all cells are alike.
    """
    table = Table("the rows", {name: readable(concatenate_columns([cells[split] for split in scored]))})
    division = next(divisions_of(table, name, table.kind(name)), None)
    if division is None:
        raise UserError(f"all cells of column {named(name)} are alike, so it makes no groups")
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    bounds: dict[str, dict[str, dict[str, Interval | None]]] = {}
    start = 0
    for split, found in scored.items():
        n = len(found.predicted.y)
        bins = division.bins[start : start + n]
        start += n
        figures[split], bounds[split] = {}, {}
        for i in np.unique(bins).tolist():
            rows = found.predicted.take(np.flatnonzero(bins == i))
            group = division.parts[i] if division.parts.count(division.parts[i]) == 1 else f"{division.parts[i]} ({i})"
            figures[split][group] = {"rows": len(rows.y), **finite(predictor.score(rows))}
            bounds[split][group] = intervals(predictor.config.metrics or (), rows, predictor.config.seed)
    return FiguresBy(name, figures, bounds)


def cells_of_splits(
    name: str, loaded: LoadedData, predictor: Predictor, rows: Mapping[str, EncodedRows], splits: Mapping[str, Any]
) -> dict[str, Column]:
    """Return the cells of a column for the rows of some splits of a run, also of a column that the net does not read.

    Raises `UserError` if there is no such column, or if its cells cannot be told for each row.
    """
    cells: dict[str, Column] = {}
    whole: Column | None = None
    for split in splits:
        place = rows_of_split(loaded, predictor, rows, split) if loaded.budget is None else None
        if place is None:
            raise UserError("the rows do not fit into the memory limit; give them with --input")
        table, places = place
        if table.has(name) and name not in table.not_read:
            cells[split] = table.column(name)[places]
            continue
        source = predictor.config.dataset
        if not isinstance(source, ColumnSource):
            raise UserError(table.no_such_column(name))
        if loaded.left_out or predictor.config.split.files:
            dropped = f"column {named(name)} is not read, and rows are left out or split by files"
            raise UserError(f"{dropped}; give the rows with --input")
        whole = read_column(name, source) if whole is None else whole
        cells[split] = whole[places]
    return cells


def undropped(name: str, source: DataSource) -> DataSource:
    """Return a data set that reads a column which the config drops."""
    dropped = source.dropped_columns()
    if name not in dropped:
        return source
    return source.model_copy(update={"drop": tuple(other for other in dropped if other != name)})


def read_column(name: str, source: ColumnSource) -> Column:
    """Return a column of a data set, which may be dropped."""
    whole = undropped(name, source)
    if not isinstance(whole, ColumnSource) or name not in whole.names():
        raise UserError(f"{source.called} has no column {named(name)}{did_you_mean(name, source.names())}")
    return concatenate_columns([chunk.column(name) for chunk in whole.chunks({name: "category"})])


def readable(column: Column) -> Column:
    """Return a column of texts that are all numbers as numbers, and any other as it is."""
    if not isinstance(column, Texts):
        return column
    texts = column.distinct[np.unique(column.codes[~column.gaps])].tolist()
    if not texts or not all(map(is_number, texts)):
        return column
    numbers = np.array([float(text) if is_number(text) else np.nan for text in [*column.distinct.tolist(), "nan"]])
    found: Array = numbers[column.codes]
    return found
