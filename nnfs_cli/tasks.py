"""The plain functions behind the commands, and the public Python API.

A whole session is

    experiment = tasks.prepare(Spec.load("configs/iris.yaml"))
    run = tasks.begin(experiment, "runs")
    tasks.train(experiment, run)
    tasks.evaluate(run)["validation"]["accuracy"]
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nnfs_cli.averaging import EMA
from nnfs_cli.callbacks import Checkpoint, EarlyStop, EpochLog, TimeLimit
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.file_source import FileSource, source_for
from nnfs_cli.data.table import Kind, Table, word
from nnfs_cli.decision import best_threshold
from nnfs_cli.environment import describe_environment
from nnfs_cli.errors import ConfigError, DataError, DivergedError, NnfsWarning, RunError, counted, shown
from nnfs_cli.experiment import Experiment, encode_parts, prepare
from nnfs_cli.extension import LOADED, code_of
from nnfs_cli.material import gather, say_alike
from nnfs_cli.model import ROWS
from nnfs_cli.predictions import OnError, Predictions
from nnfs_cli.predictor import Predictor, Samples
from nnfs_cli.runs import Run
from nnfs_cli.spec import Spec
from nnfs_cli.threads import limited
from nnfs_cli.trainer import Callback, LogRow

__all__ = ["Figures", "begin", "evaluate", "predict", "predictions", "prepare", "restore", "train"]

Threshold = float | Literal["best_f1", "best_accuracy", "none"]
Figures = dict[str, dict[str, float]]  # by split, then by name; "rows" among them


def begin(experiment: Experiment, folder: str | os.PathLike[str]) -> Run:
    """Make a new run directory in `folder` and write down what is about to be trained, on what, and where."""
    if experiment.warning:
        warnings.warn(experiment.warning, NnfsWarning, stacklevel=2)
    averaging, steps = experiment.spec.averaging, experiment.batches.steps * experiment.spec.epochs
    if isinstance(averaging, EMA) and steps // experiment.spec.accumulate < (span := 1 / (1 - averaging.decay)):
        message = f"ema averages {span:,.0f} steps, more than there are; a smaller decay would forget the first of them"
        warnings.warn(message, NnfsWarning, stacklevel=2)
    run = Run.create(folder, experiment.spec.name)
    run.set_status("running")
    with _status_when_it_fails(run):
        run.write_config(experiment.spec.source, experiment.spec.to_yaml(run.path))
        code = code_of(experiment.spec)
        for name, file in code.items():
            run.write_code(name, file.source)
        run.write_data({**experiment.description, "code": {name: file.sha256 for name, file in code.items()}})
        run.write_environment(describe_environment(experiment.threads))
    return run


@contextlib.contextmanager
def _status_when_it_fails(run: Run) -> Iterator[None]:
    """Let the run directory say how it ended."""
    try:
        yield
    except DivergedError as error:
        run.set_status("diverged")
        raise DivergedError(f"{error}\n{run.path.as_posix()} keeps what was logged until then, if anything") from None
    except KeyboardInterrupt:
        run.set_status("interrupted")
        raise
    except BaseException:
        run.set_status("failed")
        raise


def train(experiment: Experiment, run: Run, callbacks: Sequence[Callback] = ()) -> None:
    """Train, and leave the epoch log, the weights and the final figures in the run directory.

    Raises `DivergedError` when the loss becomes infinite or not a number; the run directory says so.
    """
    with _status_when_it_fails(run):
        _train(experiment, run, callbacks)
    run.set_status("finished")


def _train(experiment: Experiment, run: Run, callbacks: Sequence[Callback]) -> None:
    spec, predictor, parts = experiment.spec, experiment.predictor, experiment.parts
    watched, prefix = (parts["validation"], "val_") if "validation" in parts else (parts["train"], "train_")

    def evaluate() -> LogRow:
        figures = {prefix + name: value for name, value in predictor.figures(watched).items()}
        figures.pop("train_loss", None)  # what the epoch itself measured stands in the log under this name
        return figures

    monitor, mode, every = spec.checkpoint.monitor or "val_loss", spec.checkpoint.mode or "min", spec.checkpoint.every
    checkpoint = Checkpoint(run, monitor, mode, every)
    watching: list[Callback] = [EpochLog(run), checkpoint]
    if (early := spec.early_stopping) is not None:
        watching.append(EarlyStop(early.patience, early.min_delta, early.monitor or monitor, early.mode or mode))
    if spec.max_minutes is not None:
        watching.append(TimeLimit(spec.max_minutes))
    trainer = experiment.trainer(
        [*watching, *callbacks], schedule=spec.schedule, evaluate=evaluate, log_every=spec.log_every
    )
    trainer.train(experiment.learned, spec.epochs)
    if trainer.average.pending:
        warnings.warn("training has ended before there was an average of the weights", NnfsWarning, stacklevel=2)
    checkpoint.restore(predictor.model)
    figures = {part: _judged(run, part, predictor, rows) for part, rows in parts.items()}
    for of_part in figures.values():
        trainer.check(of_part["loss"])
    ending = {"stopped": trainer.stopped} if trainer.stopped else {}
    best_epoch = checkpoint.best["epoch"] if checkpoint.best else None
    run.write_metrics({"best_epoch": best_epoch, **ending, **{part: _finite(figures[part]) for part in figures}})


def evaluate(
    run: Run,
    parts: Iterable[str] | None = None,
    input_file: str | os.PathLike[str] | None = None,
    weights: str = "best",
    threshold: Threshold | None = None,
) -> Figures:
    """The loss and metrics of a run's splits (those held back, unless named), or of the rows of another file.

    A `threshold` between two classes is a probability of the second one, or what it is to be the best for on the
    validation rows; it is kept, and serves from then on, until it is none. Classifications also leave a confusion
    matrix in the run.
    Raises `RunError` for a split the run does not have, `DataError` when the data is gone or has changed.
    """
    if threshold is not None and weights != "best":
        raise RunError("a threshold is kept for the best weights; choose it without --weights")
    predictor = restore(run, weights, threshold is None)
    if input_file is not None:
        judged: dict[str, Samples | Iterable[Samples]] = {"input": _rows_of(Path(input_file), predictor)}
        available = None
    else:
        available = _parts(run, predictor)
        wanted = list(parts or [part for part in available if part != "train"] or ["train"])
        for part in wanted:
            if part not in available:
                raise RunError(f"{run.path} has no {part} rows; its split is {', '.join(available)}")
        judged = {part: available[part] for part in wanted}
    decision = _decision(run, predictor, threshold, available) if threshold is not None else None
    figures = {part: _finite(_judged(run, part, predictor, rows, weights)) for part, rows in judged.items()}
    if decision is not None:
        run.write_decision(decision)
    elif threshold is not None:
        run.forget_decision()
    return figures


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
) -> Predictions:
    """The same block by block, for files of any size, or for stdin, which is called "-".

    Nothing is read before the result is iterated over.
    """
    predictor = restore(run, weights)
    source = source_for(Path(input_file), predictor.spec.dataset)
    return Predictions(predictor, run.data()["inputs"], source, on_error, keep, drift)


def _rows_of(path: Path, predictor: Predictor) -> Iterator[Samples]:
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
            say_alike(table, column)
        rows = predictor.encode(_that_counts(table, predictor)).counting()
        counting = counting or len(rows) > 0
        if len(rows):
            yield rows
    if not counting:
        raise DataError(f"{path.name} has no rows that count")


def _that_counts(table: Table, predictor: Predictor) -> Table:
    """The rows whose weight is not 0: what others hold need not be known."""
    column, by_class = predictor.spec.dataset.weight_column(), predictor.encoder.class_weights
    counts = np.ones(table.n_rows, bool)
    if column and table.has(column):
        counts &= table.numbers(column) != 0
    if by_class:
        counts &= np.array(by_class)[predictor.encoder.truth(table)] != 0
    return table if counts.all() else table.take(counts)


def _parts(run: Run, predictor: Predictor) -> dict[str, Samples]:
    """The rows of each part, as they were in training. Raises `DataError` when the data is gone or has changed."""
    source = predictor.spec.dataset
    if isinstance(source, FileSource) and not all(path.is_file() for path in source.files):
        gone = f"the data of {run.path} is not at {source.path} any more"
        raise DataError(f"{gone}; put it there, or give rows with --input")
    material = gather(predictor.spec)
    recorded = run.data()["sha256"]
    for part, of_part in material.sources.items():
        if of_part.sha256 != recorded.get(part):
            raise DataError(
                f"{of_part.name} is no longer what {run.path} was trained on, so which rows were held back is not"
                " known; give rows with --input"
            )
    return encode_parts(predictor, material)


def _decision(
    run: Run, predictor: Predictor, threshold: Threshold, parts: Mapping[str, Samples] | None = None
) -> dict[str, Any] | None:
    """Choose the threshold between two classes, and let the predictor go by it; None where there is to be none."""
    if threshold == "none":
        return None
    classes = predictor.encoder.classes or ()
    if len(classes) != 2 or not predictor.spec.loss.probabilistic:
        loss = predictor.spec.loss
        found = counted(len(classes), "class", "classes") if classes else f"{loss.name}, a loss for numbers"
        found = found if loss.probabilistic else f"{loss.name}, whose scores are no probabilities"
        raise RunError(f"a threshold divides the probabilities of two classes; {run.path} has {found}")
    if isinstance(threshold, bool) or (threshold not in ("best_f1", "best_accuracy") and not _is_share(threshold)):
        raise RunError(f"a threshold is best_f1, best_accuracy, a number from 0 to 1 or none, found {shown(threshold)}")
    chosen = {"class": word(classes[1]), "by": "hand"}
    if isinstance(threshold, str):
        rows = (parts or _parts(run, predictor)).get("validation")
        if rows is None:
            raise RunError(f"{run.path} has no validation rows to choose a threshold on; give a number, as 0.3")
        predictor.threshold = None
        outcome = predictor.judge(rows)[1]
        chosen["by"] = threshold
        by: Any = threshold.removeprefix("best_")
        threshold = best_threshold(outcome.y_hat[:, 1], outcome.y == 1, outcome.weight, by)
    predictor.threshold = float(threshold)
    return {"threshold": predictor.threshold, **chosen}


def _is_share(value: object) -> bool:
    return isinstance(value, int | float | np.floating) and bool(0 <= value <= 1)


def restore(run: Run, weights: str = "best", decided: bool = True) -> Predictor:
    """The trained net of a run, which goes by the threshold that was kept, unless it is to be decided anew.

    Raises `RunError` when the directory is incomplete or damaged.
    """
    _require_code(run)
    try:
        spec = Spec.load(run.spec_file, files_must_exist=False)
        predictor = Predictor(spec, Encoder.from_json(run.data()["fitted"], spec.preprocessing))
        predictor.model.load(run.weights(weights))
        decision = run.decision() if decided and weights == "best" else None  # for which it was chosen
        predictor.threshold = decision["threshold"] if decision else None
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        if run.data()["code"]:
            raise RunError(f"{run.path} does not go with the code that was given: {error}") from None
        raise RunError(f"{run.path} is damaged: {error}") from None
    state = run.status().get("state", "unknown")
    if state != "finished":
        warnings.warn(f"the training of {run.path} has not finished; its state is '{state}'", NnfsWarning, stacklevel=3)
    return predictor


def _require_code(run: Run) -> None:
    """Raise `RunError` unless the user's own files that a run was trained with have been loaded."""
    loaded = {code.path.name: code.sha256 for code in LOADED.values()}
    for name, sha256 in run.data()["code"].items():
        if sha256 in loaded.values():
            continue
        if name not in loaded:
            raise RunError(f"{run.path} was trained with components of {name}; give that file, with --code {name}")
        warnings.warn(f"{name} is not what {run.path} was trained with", NnfsWarning, stacklevel=3)


def _judged(
    run: Run, part: str, predictor: Predictor, rows: Samples | Iterable[Samples], weights: str = "best"
) -> dict[str, float]:
    """The figures over some rows; of classes, the confusion matrix is left in the run."""
    with limited(predictor.threads(ROWS)):
        loss, outcome = predictor.judge(rows)
    n = len(outcome.classes)
    if n:
        counts = np.bincount(outcome.y * n + outcome.decided, minlength=n * n).reshape(n, n)
        run.write_confusion(part, weights, outcome.classes, counts)
    return {"rows": len(outcome.y), "loss": loss, **predictor.score(outcome)}


def _finite(figures: dict[str, float]) -> dict[str, Any]:
    """JSON has no infinity."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
