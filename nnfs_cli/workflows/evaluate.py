"""Evaluate a run on its splits or on other rows, and choose the threshold between two classes."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np

from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Kind, Table, text_of
from nnfs_cli.errors import DataError, RunError
from nnfs_cli.experiment.encode_splits import encode_splits
from nnfs_cli.experiment.warnings import no_weight_column
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.prediction.threshold import best_threshold
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted, listing, shown
from nnfs_cli.workflows.figures import Figures, confusion_tables, finite, score
from nnfs_cli.workflows.load_run import config_of, data_of, restore

Threshold = float | Literal["best_f1", "best_accuracy", "none"]


def evaluate(
    run: RunDirectory,
    splits: Iterable[str] | None = None,
    rows: Any = None,
    weights: str = "best",
    threshold: Threshold | None = None,
    data: Any = None,
) -> Figures:
    """Return the loss and the metrics of a run on its splits (by default the held-out ones), or on other rows.

    `rows` are a file or a table given in Python, with the target; their figures are called "input". `data` holds the
    rows of the splits, if they are not where the config says, or were given in Python; see `rows_for` for both.
    `threshold`, for two classes, is a probability of the second class, or the metric that chooses it on the validation
    rows. It is saved, and used from then on by `evaluate` and `predict`; "none" removes it. A classifier also
    leaves confusion tables in the run, unless another process writes there.
    Raises `RunError` for a split that the run does not have, `DataError` if the data is missing or has changed.
    """
    if threshold is not None and weights != "best":
        raise RunError("a threshold is saved for the best weights; choose it without --weights")
    with contextlib.ExitStack() as ends:
        try:
            ends.enter_context(run.writing())
        except OSError as error:
            read_only = error.errno in (errno.EROFS, errno.EACCES)
            if threshold is not None or not (read_only or isinstance(error, BlockingIOError)):
                raise
            why = "cannot be written to" if read_only else error.strerror
            warn(f"{run.path} {why}; nothing is saved there")
        return _evaluate(run, splits, rows, weights, threshold, data)


def is_training_data(run: RunDirectory, rows: Any) -> bool:
    """Return whether a file or a table has the content of the one that a run was trained on."""
    source = rows_for(rows, config_of(run).dataset)
    if not isinstance(source, FileSource):
        sha256 = source.read().sha256
    elif all(file.is_file() for file in source.files):
        sha256 = source.sha256()
    else:  # a pipe can be read only once
        return False
    return bool(sha256 == run.records.data()["sha256"]["train"])


def _evaluate(
    run: RunDirectory,
    splits: Iterable[str] | None,
    others: Any,
    weights: str,
    threshold: Threshold | None,
    data: Any,
) -> Figures:
    predictor = restore(run, weights, with_threshold=threshold is None)
    available: dict[str, EncodedRows] = {}
    if others is not None:
        source = rows_for(others, predictor.config.dataset)
        rows: dict[str, EncodedRows | Iterable[EncodedRows]] = {"input": _rows_of(source, predictor)}
    else:
        available = _encoded_splits(run, predictor, data)
        wanted = list(splits or [split for split in available if split != "train"] or ["train"])
        for split in wanted:
            if split not in available:
                raise RunError(f"{run.path} has no {split} rows; it has {listing([*available])} rows")
        rows = {split: available[split] for split in wanted}
    decision = None
    if threshold is not None and threshold != "none":
        decision = _choose_threshold(
            run, predictor, threshold, lambda: available or _encoded_splits(run, predictor, data)
        )
        predictor = predictor.with_threshold(decision["threshold"])
    scored = {split: score(predictor, of_split) for split, of_split in rows.items()}
    if run.locked:
        run.records.write_evaluation(confusion_tables(scored), weights, decision, forget_decision=threshold == "none")
    return {split: finite(found.figures) for split, found in scored.items()}


def _rows_of(source: DataSource, predictor: Predictor) -> Iterator[EncodedRows]:
    """Yield the rows with weight of a data set that has the target, block by block."""
    dataset = predictor.config.dataset
    target: Kind = "category" if predictor.encoder.classes else "number"
    kinds: dict[str, Kind] = {**predictor.encoder.kinds, **dict.fromkeys(predictor.encoder.targets, target)}
    if column := dataset.weight_column():
        kinds[column] = "number"
    found = None
    for table in source.chunks(kinds):
        if found is None and column and not table.has(column):
            warn(no_weight_column(table.name, column))
        rows = predictor.encode(rows_with_weight(table, predictor)).with_weight()
        found = found or len(rows) > 0
        if len(rows):
            yield rows
    if not found:
        raise DataError(f"{table.name} has no rows with a weight above 0")


def rows_with_weight(table: Table, predictor: Predictor) -> Table:
    """Return the rows whose weight is not 0. The other rows may hold values that the net does not know."""
    column, by_class = predictor.config.dataset.weight_column(), predictor.encoder.class_weights
    keep = np.ones(table.n_rows, bool)
    if column and table.has(column):
        keep &= table.numbers(column) != 0
    if by_class:
        keep &= np.array(by_class)[predictor.encoder.truth(table)] != 0
    return table if keep.all() else table.take(keep)


def _encoded_splits(run: RunDirectory, predictor: Predictor, data: Any) -> dict[str, EncodedRows]:
    """Return the rows of each split, as in training. Raises `DataError` if the data is missing or has changed."""
    return encode_splits(predictor, data_of(run, predictor.config, "give rows with --input", data))


def _choose_threshold(
    run: RunDirectory, predictor: Predictor, threshold: float | str, splits: Callable[[], Mapping[str, EncodedRows]]
) -> dict[str, Any]:
    """Return the decision to save: the `threshold`, its `class`, and `by`, which is the metric that chose it or "hand".

    A metric chooses the threshold on the validation rows.
    """
    classes, loss = predictor.encoder.classes or (), predictor.config.loss
    if len(classes) != 2 or not loss.probabilistic:
        found = counted(len(classes), "class") if classes else f"{loss.name}, a loss for numbers"
        found = found if loss.probabilistic else f"{loss.name}, whose scores are not probabilities"
        raise RunError(f"a threshold divides the probabilities of two classes; {run.path} has {found}")
    if isinstance(threshold, bool) or (threshold not in ("best_f1", "best_accuracy") and not _is_share(threshold)):
        raise RunError(f"a threshold is best_f1, best_accuracy, a number from 0 to 1 or none, found {shown(threshold)}")
    by = "hand"
    if isinstance(threshold, str):
        rows = splits().get("validation")
        if rows is None:
            raise RunError(f"{run.path} has no validation rows to choose a threshold on; give a number, such as 0.3")
        predicted = predictor.evaluate(rows)[1]
        by = threshold
        metric: Any = threshold.removeprefix("best_")
        threshold = best_threshold(predicted.y_hat[:, 1], predicted.y == 1, predicted.weight, metric)
    return {"threshold": float(threshold), "class": text_of(classes[1]), "by": by}


def _is_share(value: object) -> bool:
    return isinstance(value, int | float | np.floating) and bool(0 <= value <= 1)
