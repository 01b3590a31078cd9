"""From an experiment to a run."""

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
from nnfs_cli.prediction.calibrate import calibrate
from nnfs_cli.runs.environment import describe_environment
from nnfs_cli.runs.epoch_logger import EpochLogger
from nnfs_cli.runs.run import Run
from nnfs_cli.runs.status_file import Status
from nnfs_cli.system.wording import counted, listing
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.callbacks.limits import TimeLimit
from nnfs_cli.training.interruption import Interruptions
from nnfs_cli.training.progress import LogRow, State
from nnfs_cli.workflows.figures import Figures, confusion_tables, finite, score


def begin(experiment: Experiment, folder: str | os.PathLike[str]) -> Run:
    """Make a new run directory in `folder` and write down what is about to be trained, on what, and where.

    The run is locked until it is trained, or released. When anything fails, nothing is left.
    """
    for message in experiment.warnings:
        warnings.warn(message, NnfsWarning, stacklevel=2)
    run = Run.create(folder, experiment.config.name)
    try:
        code = code_files_of(experiment.config)
        for name, file in code.items():
            run.records.write_code(name, file.source)
        run.records.write_data({**experiment.description, "code": {name: file.sha256 for name, file in code.items()}})
        run.records.write_environment(describe_environment(experiment.threads))
        run.records.write_config(
            experiment.config.source, experiment.config.to_yaml(run.path)
        )  # from here on it is a run
        run.status_file.set("running")
    except BaseException:
        run.discard()
        raise
    return run


def train(
    experiment: Experiment,
    run: Run,
    callbacks: Sequence[Callback] = (),
    restore: Callable[[State], object] | None = None,
    first: Callback | None = None,
) -> None:
    """Train, and leave the epoch log, the weights and the final figures in the run directory.

    Ctrl-C and SIGTERM end training after the step that is being made, with all that it takes to `resume`, which is what
    `restore` is for, see `Trainer.train`, and what is to be told `first`, before anything is written.
    Raises `DivergedError` when a loss or gradient becomes infinite or not a number; the run directory says so.
    """
    try:
        with _status_when_it_fails(run):
            _learn(experiment, run, [first] if first else [], callbacks, restore)
            run.status_file.set("finished")
    finally:
        run.release()


@contextlib.contextmanager
def _status_when_it_fails(run: Run) -> Iterator[None]:
    """Let the run directory say how it ended, if anything of it was begun."""
    failed: Status = "failed"
    try:
        yield
    except DivergedError as error:
        failed = "diverged"
        raise DivergedError(f"{error}\n{run.path.as_posix()} keeps what was logged until then, if anything") from None
    except KeyboardInterrupt:
        failed = "interrupted"
        raise
    finally:
        with contextlib.suppress(OSError, RunError):  # what is wrong with the disk is being said already
            if run.status().get("state") == "running":
                run.status_file.set(failed)


def _learn(
    experiment: Experiment,
    run: Run,
    first: Sequence[Callback],
    last: Sequence[Callback],
    restore: Callable[[State], object] | None,
) -> None:
    spec, predictor, splits = experiment.config, experiment.predictor, experiment.splits
    watched, prefix = (splits["validation"], "val_") if "validation" in splits else (splits["train"], "train_")

    def evaluate() -> LogRow:
        figures = {prefix + name: value for name, value in predictor.figures(watched).items()}
        figures.pop("train_loss", None)  # what the epoch itself measured stands in the log under this name
        return figures

    checkpoint = spec.checkpoint.into(run.arrays)
    watching: list[Callback] = [Interruptions(), *first, EpochLogger(run.log)]
    if spec.max_minutes is not None:
        watching.append(TimeLimit(spec.max_minutes))
    watching.append(checkpoint)
    if spec.early_stopping is not None:
        watching.append(spec.early_stopping.model_copy())
    watching += [callback.model_copy(deep=True) for callback in spec.callbacks]
    trainer = experiment.trainer([*watching, *last], evaluate)
    trainer.train(experiment.training_rows, spec.epochs, restore)
    if trainer.average.pending:
        warnings.warn(no_average(), NnfsWarning, stacklevel=2)
    checkpoint.restore_best(predictor.model)
    scored = {split: score(predictor, rows) for split, rows in splits.items()}
    run.records.write_evaluation(confusion_tables(scored))
    figures = {split: found.figures for split, found in scored.items()}
    for of_split in figures.values():
        trainer.require_finite(of_split["loss"])
    _say_undefined(figures)
    if "validation" in splits:
        run.records.write_calibration(calibrate(predictor, splits["validation"], splits.get("test")))
    ending = {"stopped": trainer.stopped} if trainer.stopped else {}
    by_split = {split: finite(of_split) for split, of_split in figures.items()}
    run.records.write_metrics({"best_epoch": checkpoint.best_epoch, **ending, **by_split})


def _say_undefined(figures: Figures) -> None:
    """Warn of figures that are no numbers: r2 of a single row, roc_auc of a single class."""
    for split, of_split in figures.items():
        if undefined := [name for name, value in of_split.items() if math.isnan(value)]:
            rows = counted(int(of_split["rows"]), f"{split} row")
            are = "is" if len(undefined) == 1 else "are"
            warnings.warn(f"{listing(undefined)} {are} not defined on the {rows}", NnfsWarning, stacklevel=4)
