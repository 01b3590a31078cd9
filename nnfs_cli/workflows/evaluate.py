"""What a trained net says of rows, and how good that is."""

from __future__ import annotations

import contextlib
import errno
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nnfs_cli.data.file_source import source_for
from nnfs_cli.data.table import Kind, Table, text_of
from nnfs_cli.errors import DataError, NnfsWarning, RunError, UserError
from nnfs_cli.experiment.encode_splits import encode_splits
from nnfs_cli.experiment.warnings import no_weight_column
from nnfs_cli.prediction.batch_predict import OnError, Predictions
from nnfs_cli.prediction.predictor import EncodedRows, Predictor
from nnfs_cli.prediction.threshold import best_threshold
from nnfs_cli.runs.run import Run
from nnfs_cli.system.wording import counted, shown
from nnfs_cli.workflows.figures import Figures, confusion_tables, finite, score
from nnfs_cli.workflows.load_run import gathered, restore

Threshold = float | Literal["best_f1", "best_accuracy", "none"]


def evaluate(
    run: Run,
    splits: Iterable[str] | None = None,
    input_file: str | os.PathLike[str] | None = None,
    weights: str = "best",
    threshold: Threshold | None = None,
) -> Figures:
    """The loss and metrics of a run's splits (those held back, unless named), or of the rows of another file.

    A `threshold` between two classes is a probability of the second one, or what it is to be the best for on the
    validation rows; it is kept, and serves from then on, until it is none. Classifications also leave a confusion
    matrix in the run, unless another process is writing there.
    Raises `RunError` for a split the run does not have, `DataError` when the data is gone or has changed.
    """
    if threshold is not None and weights != "best":
        raise RunError("a threshold is kept for the best weights; choose it without --weights")
    with contextlib.ExitStack() as ends:
        try:
            ends.enter_context(run.writing())
        except OSError as error:
            closed = error.errno in (errno.EROFS, errno.EACCES)
            if threshold is not None or not (closed or isinstance(error, BlockingIOError)):
                raise
            why = "cannot be written to" if closed else error.strerror
            warnings.warn(f"{run.path} {why}; nothing is kept there", NnfsWarning, stacklevel=2)
        return _evaluate(run, splits, input_file, weights, threshold)


def _evaluate(
    run: Run,
    splits: Iterable[str] | None,
    input_file: str | os.PathLike[str] | None,
    weights: str,
    threshold: Threshold | None,
) -> Figures:
    predictor = restore(run, weights, threshold is None)
    if input_file is not None:
        rows: dict[str, EncodedRows | Iterable[EncodedRows]] = {"input": _rows_of(Path(input_file), predictor)}
        available = None
    else:
        available = _encoded_splits(run, predictor)
        wanted = list(splits or [split for split in available if split != "train"] or ["train"])
        for split in wanted:
            if split not in available:
                raise RunError(f"{run.path} has no {split} rows; its split is {', '.join(available)}")
        rows = {split: available[split] for split in wanted}
    decision = _decision(run, predictor, threshold, available) if threshold is not None else None
    scored = {split: score(predictor, of_split) for split, of_split in rows.items()}
    if run.locked:
        forget = threshold is not None and decision is None
        run.records.write_evaluation(confusion_tables(scored), weights, decision, forget)
    return {split: finite(found.figures) for split, found in scored.items()}


def predict(run: Run, input_file: str | os.PathLike[str], weights: str = "best") -> dict[str, Any]:
    """The answer to every row of a file, as named columns; see `Predictor.predict`."""
    return predictions(run, input_file, weights).all()


def predictions(
    run: Run,
    input_file: str | os.PathLike[str],
    weights: str = "best",
    *,
    on_error: OnError = "stop",
    keep: Sequence[str] | Literal["all"] = (),
    drift: bool = False,
    interval: float | None = None,
) -> Predictions:
    """The same block by block, for files of any size, or for stdin, which is called "-".

    With an `interval`, a probability such as 0.9, answers come with what holds the truth so often; see `Predictor`.
    Nothing is read before the result is iterated over.
    """
    predictor = restore(run, weights)
    if interval is not None:
        if weights != "best":
            raise UserError(f"intervals are calibrated for the best weights, not for {weights}")
        predictor.interval = run.records.calibration(), interval
    source = source_for(Path(input_file), predictor.spec.dataset)
    return Predictions(predictor, run.records.data()["inputs"], source, on_error, keep, drift)


def _rows_of(path: Path, predictor: Predictor) -> Iterator[EncodedRows]:
    """The rows of a file that has the target, block by block: those that count."""
    dataset = predictor.spec.dataset
    source = source_for(path, dataset)
    target: Kind = "category" if predictor.encoder.classes else "number"
    kinds: dict[str, Kind] = {**predictor.encoder.kinds, **dict.fromkeys(predictor.encoder.targets, target)}
    if column := dataset.weight_column():
        kinds[column] = "number"
    counting = None
    for table in source.chunks(kinds):
        if counting is None and column and not table.has(column):
            warnings.warn(no_weight_column(table.name, column), NnfsWarning, stacklevel=2)
        rows = predictor.encode(that_counts(table, predictor)).counting()
        counting = counting or len(rows) > 0
        if len(rows):
            yield rows
    if not counting:
        raise DataError(f"{path.name} has no rows that count")


def that_counts(table: Table, predictor: Predictor) -> Table:
    """The rows whose weight is not 0: what others hold need not be known."""
    column, by_class = predictor.spec.dataset.weight_column(), predictor.encoder.class_weights
    counts = np.ones(table.n_rows, bool)
    if column and table.has(column):
        counts &= table.numbers(column) != 0
    if by_class:
        counts &= np.array(by_class)[predictor.encoder.truth(table)] != 0
    return table if counts.all() else table.take(counts)


def _encoded_splits(run: Run, predictor: Predictor) -> dict[str, EncodedRows]:
    """The rows of each split, as they were in training. Raises `DataError` when the data is gone or has changed."""
    return encode_splits(predictor, gathered(run, predictor.spec, "give rows with --input"))


def _decision(
    run: Run, predictor: Predictor, threshold: Threshold, splits: Mapping[str, EncodedRows] | None = None
) -> dict[str, Any] | None:
    """Choose the threshold between two classes, and let the predictor go by it; None where there is to be none."""
    if threshold == "none":
        return None
    classes = predictor.encoder.classes or ()
    if len(classes) != 2 or not predictor.spec.loss.probabilistic:
        loss = predictor.spec.loss
        found = counted(len(classes), "class") if classes else f"{loss.name}, a loss for numbers"
        found = found if loss.probabilistic else f"{loss.name}, whose scores are no probabilities"
        raise RunError(f"a threshold divides the probabilities of two classes; {run.path} has {found}")
    if isinstance(threshold, bool) or (threshold not in ("best_f1", "best_accuracy") and not _is_share(threshold)):
        raise RunError(f"a threshold is best_f1, best_accuracy, a number from 0 to 1 or none, found {shown(threshold)}")
    chosen = {"class": text_of(classes[1]), "by": "hand"}
    if isinstance(threshold, str):
        rows = (splits or _encoded_splits(run, predictor)).get("validation")
        if rows is None:
            raise RunError(f"{run.path} has no validation rows to choose a threshold on; give a number, as 0.3")
        predictor.threshold = None
        predicted = predictor.judge(rows)[1]
        chosen["by"] = threshold
        by: Any = threshold.removeprefix("best_")
        threshold = best_threshold(predicted.y_hat[:, 1], predicted.y == 1, predicted.weight, by)
    predictor.threshold = float(threshold)
    return {"threshold": predictor.threshold, **chosen}


def _is_share(value: object) -> bool:
    return isinstance(value, int | float | np.floating) and bool(0 <= value <= 1)
