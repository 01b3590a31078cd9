"""Train a net and write everything about it to a run directory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nnfs_cli.components.user_code import code_files_of, definitions_of
from nnfs_cli.config.config import Config
from nnfs_cli.errors import DivergedError, RunError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.environment import describe_environment
from nnfs_cli.runs.epoch_logger import EpochLogger
from nnfs_cli.runs.status_file import Status
from nnfs_cli.system.warn import warn
from nnfs_cli.tracking.trackers import require_packages
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.interruption import Interruptions
from nnfs_cli.training.progress import State
from nnfs_cli.workflows.fit import Outcome, fit
from nnfs_cli.workflows.run_predictions import FreshPredictions
from nnfs_cli.workflows.tracking.tracking import Tracking
from nnfs_cli.workflows.verdicts import Verdict, judge
from nnfs_cli.workflows.verdicts.losses import losses_by_split


def begin(experiment: Experiment, folder: str | os.PathLike[str]) -> RunDirectory:
    """Make a new run directory in `folder`, and record the config, the data and the environment in it.

    The run stays locked until it is trained or released. If anything fails, no directory is left. Raises `UserError` if
    the package of a tracker is not installed.
    """
    require_packages(experiment.config.track)
    for message in experiment.warnings:
        warn(message)
    run = RunDirectory.create(folder, experiment.config.name)
    try:
        record_beginning(run, experiment.config, experiment.description)
    except BaseException:
        run.discard()
        raise
    return run


def record_beginning(run: RunDirectory, config: Config, data: Mapping[str, Any]) -> None:
    """Record the config, the data, the environment and the user's code in a new run directory.

    Raises `ConfigError` for a component of the user's own that has no name.
    """
    code, components = code_files_of(config), definitions_of(config)
    for name, file in code.items():
        run.records.write_code(name, file.source)
    own = {"components": components} if components else {}
    run.records.write_data({**data, "code": {name: file.sha256 for name, file in code.items()}, **own})
    run.records.write_environment(describe_environment(config.threads))
    # The config is written last, because a directory that has one counts as a run.
    run.records.write_config(config.source, config.to_yaml(run.path))
    run.status_file.set("running")


def record_outcome(run: RunDirectory, outcome: Outcome, verdicts: Sequence[Verdict]) -> None:
    """Record the final figures, the confusion tables, the calibration and the verdicts; the run has finished."""
    run.records.write_confusion(outcome.confusion)
    run.arrays.write_blend(outcome.blend.arrays() if outcome.blend is not None else {})
    run.write_calibration(outcome.calibration)
    run.arrays.write_background(outcome.background)
    run.records.write_metrics(outcome.metrics)
    run.records.write_verdict([verdict.plain() for verdict in verdicts])
    run.status_file.set("finished")


def train(
    experiment: Experiment,
    run: RunDirectory,
    callbacks: Sequence[Callback] = (),
    restore: Callable[[State], object] | None = None,
    first: Callback | None = None,
) -> FreshPredictions:
    """Train, and write the epoch log, the weights, the state and the final figures to the run directory.

    What is returned spares a report of the run to predict the rows again.
    Ctrl-C and SIGTERM end training after the current step, with everything that `resume` needs. `restore` fills the
    state to continue from, see `Trainer.train`; `first` is called before any callback that writes.
    Trackers that the config names get every row of the log; what is wrong with one of them is a warning.
    Raises `DivergedError` if a loss or gradient is not finite; then the run has the status "diverged".
    """
    try:
        tracking = Tracking(run, experiment.config.track)
        with tracking, _record_failure(run):
            before = [Interruptions(), *([first] if first else []), EpochLogger(run.log), tracking]
            outcome = fit(experiment, before, callbacks, run.arrays, restore)
            losses = losses_by_split(experiment.predictor, experiment.splits)
            verdicts = judge(experiment, outcome.metrics, run.epochs(), outcome.calibration, losses)
            record_outcome(run, outcome, verdicts)
            return FreshPredictions(outcome.scored, losses)
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
