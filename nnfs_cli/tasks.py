"""The plain functions behind the commands, and the public Python API.

A whole session is

    experiment = tasks.prepare(Spec.load("configs/iris.yaml"))
    run = tasks.begin(experiment, "runs")
    tasks.train(experiment, run)
    tasks.evaluate(run)["validation"]["accuracy"]
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.callbacks import Checkpoint, EpochLog
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.encoder import Encoder, class_indices, find_classes, find_unusable
from nnfs_cli.data.file_source import ColumnSource, FileSource, source_for
from nnfs_cli.data.split import PARTS
from nnfs_cli.data.table import Table, word
from nnfs_cli.environment import describe_environment
from nnfs_cli.errors import ConfigError, DataError, DivergedError, Fault, NnfsWarning, RunError, counted
from nnfs_cli.parameters import Array
from nnfs_cli.plain_yaml import dump_value
from nnfs_cli.predictor import Predictor, Samples
from nnfs_cli.runs import Run, Weights
from nnfs_cli.spec import Spec
from nnfs_cli.trainer import Callback, LogRow, Trainer

Figures = dict[str, dict[str, float]]  # by split, then by name; "rows" among them


@dataclass(frozen=True)
class Experiment:
    """Everything that is settled before training begins: the rows of each split, and the net that will learn them."""

    spec: Spec
    parts: Mapping[str, Samples]  # train, and validation and test where there are any
    predictor: Predictor
    batches: Batches
    description: Mapping[str, Any]  # of the data, as data.json keeps it


def prepare(spec: Spec) -> Experiment:
    """Read the data, split it, fit the preprocessing on the training rows, and build the net.

    Raises `DataError` or `ConfigError` when data and spec do not go together; nothing has been written then.
    """
    tables, indices, classes = _split(spec)
    table = tables["train"]
    targets = spec.dataset.target_columns()
    left_out = {*targets, *spec.dataset.dropped_columns(), spec.split.column}
    features = [name for name in (*table.columns, *table.unreadable) if name not in left_out]
    if not features:
        raise DataError(f"{table.name} has no column left to learn from")
    unusable = find_unusable(table, features)
    if unusable:
        raise DataError(_with_remedy(unusable, len(features), spec))
    encoder = Encoder.fit(table, indices["train"], features, targets, classes, spec.preprocessing)
    spec.check(encoder.facts, table.name)
    predictor = Predictor(spec, encoder)
    parts = _encode(predictor, tables, indices)
    n_rows = len(parts["train"])
    size = n_rows if spec.batch_size == "full" else int(spec.batch_size)
    batches = Batches(n_rows, size, spec.shuffle, spec.replacement, spec.drop_last, spec.seed)
    if not batches.steps:
        message = f"{counted(n_rows, 'training row')} do not fill one batch of {size}, and drop_last leaves it out"
        raise spec.error([Fault(("batch_size",), message)])
    return Experiment(spec, parts, predictor, batches, _describe(tables, encoder, parts))


def begin(experiment: Experiment, folder: str | os.PathLike[str]) -> Run:
    """Make a new run directory in `folder` and write down what is about to be trained, on what, and where."""
    n_parameters, n_rows = experiment.predictor.model.n_parameters, len(experiment.parts["train"])
    if n_parameters > n_rows:
        warnings.warn(
            f"the net has {n_parameters:,} parameters for {n_rows:,} training rows; it may learn them by heart",
            NnfsWarning,
            stacklevel=2,
        )
    run = Run.create(folder, experiment.spec.name)
    run.set_status("running")
    run.write_config(experiment.spec.source, experiment.spec.to_yaml(run.path))
    run.write_data(experiment.description)
    run.write_environment(describe_environment())
    return run


def train(experiment: Experiment, run: Run, callbacks: Sequence[Callback] = ()) -> None:
    """Train, and leave the epoch log, the weights and the final figures in the run directory.

    Raises `DivergedError` when the loss becomes infinite or not a number; the run directory says so.
    """
    spec, predictor, parts = experiment.spec, experiment.predictor, experiment.parts
    watched, prefix = (parts["validation"], "val_") if "validation" in parts else (parts["train"], "train_")

    def evaluate() -> LogRow:
        figures = {prefix + name: value for name, value in predictor.figures(watched).items()}
        figures.pop("train_loss", None)  # what the epoch itself measured stands in the log under this name
        return figures

    checkpoint = Checkpoint(run)
    trainer = Trainer(
        predictor.model,
        spec.optimizer,
        spec.lr or spec.optimizer.default_lr,
        experiment.batches,
        [EpochLog(run), checkpoint, *callbacks],
        evaluate,
        spec.log_every,
    )
    try:
        trainer.fit(parts["train"].X, parts["train"].y, spec.epochs)
        checkpoint.restore(predictor.model)
        figures = {part: _figures(predictor, rows) for part, rows in parts.items()}
        for of_part in figures.values():
            trainer.check(of_part["loss"])
        best_epoch = checkpoint.best["epoch"] if checkpoint.best else None
        run.write_metrics({"best_epoch": best_epoch, **{part: _finite(figures[part]) for part in figures}})
    except DivergedError as error:
        run.set_status("diverged")
        raise DivergedError(f"{error}\n{run.path.as_posix()} keeps what was logged until then, if anything") from None
    except KeyboardInterrupt:
        run.set_status("interrupted")
        raise
    except BaseException:
        run.set_status("failed")
        raise
    run.set_status("finished")


def evaluate(
    run: Run,
    parts: Iterable[str] | None = None,
    input_file: str | os.PathLike[str] | None = None,
    weights: Weights = "best",
) -> Figures:
    """The loss and metrics of a run's splits (those held back, unless named), or of the rows of another file.

    Raises `RunError` for a split the run does not have, `DataError` when the data is gone or has changed.
    """
    predictor = restore(run, weights)
    if input_file is not None:
        table = source_for(Path(input_file), predictor.spec.dataset).read()
        return {"input": _finite(_figures(predictor, predictor.encode(table)))}
    source = predictor.spec.dataset
    if isinstance(source, FileSource) and not source.path.is_file():
        gone = f"the data of {run.path} is not at {source.path} any more"
        raise DataError(f"{gone}; put it there, or give rows with --input")
    tables, indices, _ = _split(predictor.spec)
    recorded = run.data()["sha256"]
    for part, table in tables.items():
        if table.sha256 != recorded.get(part):
            raise DataError(
                f"{table.name} is no longer what {run.path} was trained on, so which rows were held back is not known;"
                " give rows with --input"
            )
    available = _encode(predictor, tables, indices)
    if parts is None:
        parts = [part for part in available if part != "train"] or ["train"]
    for part in parts:
        if part not in available:
            raise RunError(f"{run.path} has no {part} rows; its split is {', '.join(available)}")
    return {part: _finite(_figures(predictor, available[part])) for part in parts}


def predict(run: Run, input_file: str | os.PathLike[str], weights: Weights = "best") -> dict[str, Array]:
    """The answer to every row of a file, as named columns; see `Predictor.predict`."""
    predictor = restore(run, weights)
    table = source_for(Path(input_file), predictor.spec.dataset).read()
    answer = predictor.predict(table)
    _warn_of_far_rows(table, run.data()["inputs"])
    return answer


def _warn_of_far_rows(table: Table, inputs: Iterable[Mapping[str, Any]]) -> None:
    """Warn of rows with a value further outside the range of the training data than that range is wide."""
    far = np.zeros(table.n_rows, bool)
    example = ""
    for column in inputs:
        name, low, high = column["name"], column["min"], column["max"]
        values = table.numbers(name)
        outside = (values < low - (high - low)) | (values > high + (high - low))
        if outside.any() and not example:
            example = f"{name} is {values[outside][0]:g}, and was {low:g} to {high:g}"
        far |= outside
    if example:
        verb = "lies" if far.sum() == 1 else "lie"
        warnings.warn(
            f"{far.sum():,} of {counted(table.n_rows, 'row')} {verb} far outside of what was trained on ({example})",
            NnfsWarning,
            stacklevel=3,
        )


def restore(run: Run, weights: Weights = "best") -> Predictor:
    """The trained net of a run. Raises `RunError` when the directory is incomplete or damaged."""
    try:
        spec = Spec.load(run.spec_file, files_must_exist=False)
        predictor = Predictor(spec, Encoder.from_json(run.data()["fitted"], spec.preprocessing))
        predictor.model.load(run.weights(weights))
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{run.path} is damaged: {error}") from None
    state = run.status().get("state", "unknown")
    if state != "finished":
        warnings.warn(f"the training of {run.path} has not finished; its state is '{state}'", NnfsWarning, stacklevel=3)
    return predictor


def _split(spec: Spec) -> tuple[dict[str, Table], dict[str, Array], tuple[Any, ...] | None]:
    """The table of each part (the training table where it has no file of its own), its rows there, and the classes."""
    table = spec.dataset.read()
    _require_columns(spec, table)
    tables = dict.fromkeys(PARTS, table)
    classes = indices = None
    if spec.loss.task == "classification":
        target = spec.dataset.target_columns()
        if len(target) != 1:
            raise DataError(f"{spec.loss.name} has one target, and {table.name} is to give {len(target)}")
        classes = find_classes(table, target[0])
        indices = class_indices(table, target[0], classes)
    rows = spec.split.divide(table, indices, spec.seed)
    for part, path in spec.split.files.items():
        tables[part] = source_for(path, spec.dataset).read()
        rows[part] = np.arange(tables[part].n_rows)
    return tables, rows, classes


def _require_columns(spec: Spec, table: Table) -> None:
    """Raise `ConfigError` for every column that the config names and the table does not have."""
    source, column = ("dataset", spec.dataset.name), spec.split.column
    named: list[tuple[tuple[str, ...], str]] = [((*source, "target"), name) for name in spec.dataset.target_columns()]
    named += [((*source, "drop"), name) for name in spec.dataset.dropped_columns()]
    named += [(("split", "column"), column)] if column else []
    faults = [Fault(path, table.missing(name)) for path, name in named if not table.has(name)]
    if faults:
        raise spec.error(faults)


def _with_remedy(unusable: Mapping[str, str], n_features: int, spec: Spec) -> str:
    """What is wrong with the columns, and what to do about it."""
    lines = list(unusable.values())[:5]
    if len(unusable) > 5:
        lines.append(f"and {counted(len(unusable) - 5, 'more column')}")
    if len(unusable) == n_features or not isinstance(spec.dataset, ColumnSource):
        return "\n".join([*lines, "mend the file"])
    return "\n".join([*lines, f"mend the file, or leave columns out with  drop: {dump_value(list(unusable))}"])


def _encode(predictor: Predictor, tables: Mapping[str, Table], indices: Mapping[str, Array]) -> dict[str, Samples]:
    encoded: dict[int, Samples] = {}
    parts = {}
    for part in PARTS:
        table = tables[part]
        if not len(indices[part]):
            continue
        if id(table) not in encoded:
            encoded[id(table)] = predictor.encode(table)
        parts[part] = encoded[id(table)].take(indices[part])
    return parts


def _figures(predictor: Predictor, rows: Samples) -> dict[str, float]:
    return {"rows": len(rows), **predictor.figures(rows)}


def _finite(figures: dict[str, float]) -> dict[str, Any]:
    """JSON has no infinity."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _describe(tables: Mapping[str, Table], encoder: Encoder, parts: Mapping[str, Samples]) -> dict[str, Any]:
    """The data as data.json keeps it."""
    table = tables["train"]
    truth = {part: rows.truth for part, rows in parts.items()}
    return {
        "name": table.name,
        "sha256": {part: table.sha256 for part, table in tables.items()},
        "rows": {part: len(rows) for part, rows in parts.items()},
        "inputs": [{"name": name, "kind": "number", **_range(table.numbers(name))} for name in encoder.features],
        "targets": [
            {
                "name": name,
                "kind": "class",
                "counts": {part: _counts(encoder.classes, y) for part, y in truth.items()},
            }
            if encoder.classes
            else {"name": name, "kind": "number", **_range(truth["train"][:, i])}
            for i, name in enumerate(encoder.targets)
        ],
        "fitted": encoder.to_json(),
    }


def _counts(classes: tuple[Any, ...], truth: Array) -> dict[str, int]:
    return dict(zip(map(word, classes), np.bincount(truth, minlength=len(classes)).tolist(), strict=True))


def _range(values: Array) -> dict[str, float]:
    return {"min": float(values.min()), "max": float(values.max())}
