"""Train a net and write everything about it to a run directory."""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence

from nnfs_cli.components.user_code import code_files_of
from nnfs_cli.errors import DivergedError, NnfsWarning, RunError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.experiment.warnings import no_average
from nnfs_cli.prediction.calibration.fit import fit_calibration
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.environment import describe_environment
from nnfs_cli.runs.epoch_logger import EpochLogger
from nnfs_cli.runs.status_file import Status
from nnfs_cli.system.wording import counted, listing
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.callbacks.limits import TimeLimit
from nnfs_cli.training.interruption import Interruptions
from nnfs_cli.training.progress import LogRow, State
from nnfs_cli.training.trainer import Trainer
from nnfs_cli.workflows.figures import Figures, confusion_tables, finite, score


def begin(experiment: Experiment, folder: str | os.PathLike[str]) -> RunDirectory:
    """Make a new run directory in `folder`, and record the config, the data and the environment in it.

    The run stays locked until it is trained or released. If anything fails, no directory is left.
    """
    for message in experiment.warnings:
        warnings.warn(message, NnfsWarning, stacklevel=2)
    run = RunDirectory.create(folder, experiment.config.name)
    try:
        code = code_files_of(experiment.config)
        for name, file in code.items():
            run.records.write_code(name, file.source)
        run.records.write_data({**experiment.description, "code": {name: file.sha256 for name, file in code.items()}})
        run.records.write_environment(describe_environment(experiment.threads))
        # The config is written last, because a directory that has one counts as a run.
        run.records.write_config(experiment.config.source, experiment.config.to_yaml(run.path))
        run.status_file.set("running")
    except BaseException:
        run.discard()
        raise
    return run


def train(
    experiment: Experiment,
    run: RunDirectory,
    callbacks: Sequence[Callback] = (),
    restore: Callable[[State], object] | None = None,
    first: Callback | None = None,
) -> None:
    """Train, and write the epoch log, the weights, the state and the final figures to the run directory.

    Ctrl-C and SIGTERM end training after the current step, with everything that `resume` needs. `restore` fills the
    state to continue from, see `Trainer.train`; `first` is called before any callback that writes.
    Raises `DivergedError` if a loss or gradient is not finite; then the run has the status "diverged".
    """
    try:
        with _record_failure(run):
            _train(experiment, run, [first] if first else [], callbacks, restore)
            run.status_file.set("finished")
    finally:
        run.release()


@contextlib.contextmanager
def _record_failure(run: RunDirectory) -> Iterator[None]:
    """Record in the status how training ended, if it had started."""
    failed: Status = "failed"
    try:
        yield
    except DivergedError as error:
        failed = "diverged"
        raise DivergedError(f"{error}\n{run.path.as_posix()} keeps the epochs that were logged before") from None
    except KeyboardInterrupt:
        failed = "interrupted"
        raise
    finally:
        with contextlib.suppress(OSError, RunError):  # report the error that is being raised instead
            if run.status().get("state") == "running":
                run.status_file.set(failed)


def _train(
    experiment: Experiment,
    run: RunDirectory,
    first: Sequence[Callback],
    last: Sequence[Callback],
    restore: Callable[[State], object] | None,
) -> None:
    config, predictor, splits = experiment.config, experiment.predictor, experiment.splits
    watched, prefix = (splits["validation"], "val_") if "validation" in splits else (splits["train"], "train_")

    def evaluate() -> LogRow:
        figures = {prefix + name: value for name, value in predictor.figures(watched).items()}
        figures.pop("train_loss", None)  # under this name, the log has the loss measured during the epoch
        return figures

    checkpoint = config.checkpoint.into(run.arrays)
    callbacks: list[Callback] = [Interruptions(), *first, EpochLogger(run.log)]
    if config.max_minutes is not None:
        callbacks.append(TimeLimit(config.max_minutes))
    callbacks.append(checkpoint)
    if config.early_stopping is not None:
        callbacks.append(config.early_stopping.model_copy())
    callbacks += [callback.model_copy(deep=True) for callback in config.callbacks]
    trainer = experiment.trainer([*callbacks, *last], evaluate)
    trainer.train(experiment.training_rows, config.epochs, restore)
    if trainer.average.pending:
        warnings.warn(no_average(), NnfsWarning, stacklevel=3)
    checkpoint.restore_best(predictor.model)
    figures = _score_splits(experiment, run, trainer)
    ending = {"stopped": trainer.stopped} if trainer.stopped else {}
    run.records.write_metrics({"best_epoch": checkpoint.best_epoch, **ending, **figures})


def _score_splits(experiment: Experiment, run: RunDirectory, trainer: Trainer) -> Figures:
    """Score the best weights on every split; write confusion tables and the calibration."""
    predictor, splits = experiment.predictor, experiment.splits
    scored = {split: score(predictor, rows) for split, rows in splits.items()}
    run.records.write_evaluation(confusion_tables(scored))
    for found in scored.values():
        trainer.require_finite(found.figures["loss"])
    _warn_undefined({split: found.figures for split, found in scored.items()})
    if "validation" in splits:
        run.records.write_calibration(fit_calibration(predictor, splits["validation"], splits.get("test")))
    return {split: finite(found.figures) for split, found in scored.items()}


def _warn_undefined(figures: Figures) -> None:
    """Warn about figures that are not defined, such as r2 of a single row or roc_auc of a single class."""
    for split, of_split in figures.items():
        if undefined := [name for name, value in of_split.items() if math.isnan(value)]:
            rows = counted(int(of_split["rows"]), f"{split} row")
            are = "is" if len(undefined) == 1 else "are"
            warnings.warn(f"{listing(undefined)} {are} not defined on the {rows}", NnfsWarning, stacklevel=5)
