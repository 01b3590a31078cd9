"""Evaluate a run on its splits or on other rows."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.left_out import LeftOut
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Column, Kind, Table, concatenate_columns, row_slices
from nnfs_cli.errors import DataError, RunError, UserError
from nnfs_cli.experiment.encode_splits import encode_splits
from nnfs_cli.experiment.input_columns import rows_left_out
from nnfs_cli.experiment.read_data import LoadedData
from nnfs_cli.experiment.warnings import no_weight_column
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.far_rows import FarRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import listing
from nnfs_cli.workflows.by_column import cells_of_splits, figures_by, undropped
from nnfs_cli.workflows.decide import Threshold, choose_threshold, costs_of, require_probabilities
from nnfs_cli.workflows.evaluation import Evaluation
from nnfs_cli.workflows.figures import confusion_tables, score
from nnfs_cli.workflows.load_run import data_of, restore


def evaluate(
    run: RunDirectory,
    splits: Iterable[str] | None = None,
    rows: Any = None,
    weights: str = "best",
    threshold: Threshold | None = None,
    data: Any = None,
    *,
    costs: Mapping[str, float] | None = None,
    metrics: Sequence[Any] | None = None,
    by: str | None = None,
) -> Evaluation:
    """Return the loss and the metrics of a run on its splits (by default the held-out ones), or on other rows.

    `rows` are a file or a table given in Python, with the target; their figures are called "input". `data` holds the
    rows of the splits, if they are not where the config says, or were given in Python; see `rows_for` for both.
    `metrics`, each as a config would hold it, take the place of those of the config. With `by`, a column of the table,
    there are also the metrics of the groups that it makes; see `figures_by`.
    `threshold` and `costs` are those of `decide`, but nothing is kept: only these figures are for that threshold. With
    both, the costs are reported and choose nothing. By default the threshold that was kept is used, if there is one.
    A classifier also leaves confusion tables in the run, unless another process writes there.
    Raises `RunError` for a split that the run does not have, `DataError` if the data is missing or has changed.
    """
    with writing_if_possible(run):
        return _evaluate(run, splits, rows, weights, threshold, data, costs, metrics, by)


@contextlib.contextmanager
def writing_if_possible(run: RunDirectory) -> Iterator[None]:
    """Be the only process that writes to a run, which is `locked` then; warn if the run cannot be written to."""
    with contextlib.ExitStack() as ends:
        try:
            ends.enter_context(run.writing())
        except OSError as error:
            read_only = error.errno in (errno.EROFS, errno.EACCES)
            if not (read_only or isinstance(error, BlockingIOError)):
                raise
            why = "cannot be written to" if read_only else error.strerror
            warn(f"{run.path} {why}; nothing is saved there")
        yield


def _evaluate(
    run: RunDirectory,
    splits: Iterable[str] | None,
    others: Any,
    weights: str,
    threshold: Threshold | None,
    data: Any,
    costs: Mapping[str, float] | None,
    metrics: Sequence[Any] | None,
    by: str | None,
) -> Evaluation:
    priced, kept = costs_of(costs), threshold is None and costs is None
    predictor = restore(run, weights, with_threshold=kept)
    if priced:
        require_probabilities(run, predictor)
    if metrics is not None:
        predictor = predictor.with_metrics(metrics)

    @cache
    def own_data() -> LoadedData:
        return data_of(run, predictor.config, "give rows with --input", data)

    @cache
    def own_rows() -> dict[str, EncodedRows]:
        return encode_splits(predictor, own_data())

    rows: dict[str, EncodedRows | Iterable[EncodedRows]]
    sha256, cells = None, list[Column]()
    if others is None:
        rows = _wanted(run, own_rows(), splits)
    else:
        tables, sha256 = tables_with_target(rows_for(others, predictor.config.dataset), predictor, by)
        tables = tables if by is None else _keeping(by, tables, predictor, cells)
        rows = {"input": _rows_of(tables, predictor, FarRows(run.records.data()["inputs"]))}
    decision = run.records.decision() if kept and weights == "best" else None
    if not kept and threshold != "none":
        decision = choose_threshold(run, predictor, threshold, priced, own_rows)
        predictor = predictor.with_decision(decision)
    scored = {split: score(predictor, of_split) for split, of_split in rows.items()}
    if run.locked:
        run.records.write_confusion(confusion_tables(scored), weights)
    trained_on = sha256 is not None and sha256() == run.records.data()["sha256"]["train"]
    found = None
    if by is not None:
        if others is None:
            of_splits = cells_of_splits(by, own_data(), predictor, own_rows(), rows)
        else:
            of_splits = {"input": concatenate_columns(cells)}
        found = figures_by(by, of_splits, scored, predictor)
    return Evaluation(scored, predictor, decision, priced, trained_on, found)


def _wanted(
    run: RunDirectory, available: Mapping[str, EncodedRows], splits: Iterable[str] | None
) -> dict[str, EncodedRows | Iterable[EncodedRows]]:
    """Return the rows of some splits of a run, by default of the held-out ones. Raises `RunError` if it lacks one."""
    wanted = list(splits or [split for split in available if split != "train"] or ["train"])
    for split in wanted:
        if split not in available:
            raise RunError(f"{run.path} has no {split} rows; it has {listing([*available])} rows")
    return {split: available[split] for split in wanted}


def _keeping(name: str, tables: Iterable[Table], predictor: Predictor, cells: list[Column]) -> Iterator[Table]:
    """Yield tables, and add the cells of a column to `cells`, of rows with weight. Raises `UserError` without it."""
    for table in tables:
        if not table.has(name):
            raise UserError(table.no_such_column(name))
        cells.append(rows_with_weight(table, predictor).column(name))
        yield table


def _kept(tables: Iterable[Table], left_out: LeftOut) -> Iterator[Table]:
    """Yield the tables without the rows that the config of the run leaves out; warn about these at the end."""
    for table in tables:
        kept = left_out.kept(table, count=True)
        if kept.n_rows or not table.n_rows:
            yield kept
    left_out.warn()


def tables_with_target(
    source: DataSource, predictor: Predictor, by: str | None = None
) -> tuple[Iterable[Table], Callable[[], str] | None]:
    """Return the rows of a data set that has the target, block by block, and a function that returns their digest.

    There is no digest of a pipe, which can be read only once.
    """
    config = predictor.config
    target: Kind = "category" if predictor.encoder.classes or predictor.encoder.pairs else "number"
    kinds: dict[str, Kind] = {**predictor.encoder.kinds, **dict.fromkeys(predictor.encoder.targets, target)}
    for column in filter(None, (config.dataset.weight_column(), config.dataset.exposure_column())):
        kinds[column] = "number"
    if config.split.group:
        kinds.setdefault(config.split.group, "category")
    if by is not None:
        kinds.setdefault(by, "category")
        source = undropped(by, source)
    left_out = rows_left_out(config, kinds)
    if isinstance(source, FileSource | ColumnSource):
        tables = _kept(source.chunks(kinds, faults=left_out.faults), left_out)
        once = isinstance(source, FileSource) and not all(file.is_file() for file in source.files)
        return tables, None if once else source.sha256
    table = source.read(kinds)
    return _kept((table.take(rows) for rows in row_slices(table.n_rows)), left_out), lambda: table.sha256


def _rows_of(tables: Iterable[Table], predictor: Predictor, far: FarRows) -> Iterator[EncodedRows]:
    """Yield the rows with weight, block by block, then warn of far ones. Raises `DataError` if there are none."""
    column, group = predictor.config.dataset.weight_column(), predictor.config.split.group
    found, seen = None, dict[str | None, int]()
    for table in tables:
        if found is None and column and not table.has(column):
            warn(no_weight_column(table.name, column))
        counting = rows_with_weight(table, predictor)
        rows = predictor.encode(counting)
        far.count(counting)
        if group is not None and group in counting.columns:
            texts = counting.texts(group)
            for text in [*texts.distinct.tolist(), None]:
                seen.setdefault(text, len(seen))
            rows = replace(rows, group=texts.look_up(seen, 0))
        found = found or len(rows) > 0
        if len(rows):
            yield rows.with_weight()
    if not found:
        raise DataError(f"{table.name} has no rows with a weight above 0")
    far.warn()


def rows_with_weight(table: Table, predictor: Predictor) -> Table:
    """Return the rows whose weight is not 0. The other rows may hold values that the net does not know."""
    column, by_class = predictor.config.dataset.weight_column(), predictor.encoder.class_weights
    keep = np.ones(table.n_rows, bool)
    if column and table.has(column):
        keep &= table.numbers(column) != 0
    if by_class:
        keep &= np.array(by_class)[predictor.encoder.truth(table)] != 0
    return table if keep.all() else table.take(keep)
