"""Continue an interrupted run, or train a finished one further."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from nnfs_cli.errors import RunError
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.environment import describe_environment, environment_changes
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted, listing
from nnfs_cli.tracking.base import Tracker
from nnfs_cli.tracking.trackers import of_resumed, require_packages
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.limits import TimeLimit
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.progress import State, StateError
from nnfs_cli.workflows.load_run import config_of, data_of, net_of
from nnfs_cli.workflows.run_predictions import FreshPredictions
from nnfs_cli.workflows.train import train


def reopen(
    run: RunDirectory,
    epochs: int | None = None,
    changed_data: bool = False,
    data: Any = None,
    trackers: Sequence[Tracker] = (),
) -> Experiment:
    """Return the experiment of a run, to `resume` it until `epochs` in total, by default until its planned epochs.

    `data` holds the rows, if they are not where the config says, or were given in Python; see `rows_for`. `trackers`
    get the figures, besides the trackers of the config that have no place of their own; see `of_resumed`.
    The run stays locked until it is trained or released. A warning names what has changed in the environment.
    Raises `RunError` if there is nothing to continue, `DataError` if the data is missing, or has changed without
    `changed_data`, `UserError` if the package of a tracker is not installed, and `BlockingIOError` if another process
    trains the run.
    """
    run.lock()
    try:
        return _reopened(run, epochs, changed_data, data, trackers)
    except BaseException:
        run.release()
        raise


def _reopened(
    run: RunDirectory, epochs: int | None, changed_data: bool, data: Any, trackers: Sequence[Tracker]
) -> Experiment:
    config, state = config_of(run), run.status().get("state", "running")
    planned = _planned(run)
    if state == "diverged":
        raise RunError(
            f"{run.path} has diverged and would diverge again; train a new run, for example with a smaller lr"
        )
    if state == "finished":
        ending = run.metrics().get("stopped")
        if not run.arrays.has_state() and isinstance(config.optimizer, Stepper):
            reason = "`save` of an estimator or an earlier release made it, or its state.npz was deleted"
            raise RunError(f"{run.path} has no saved state: {reason}; train a new run")
        if epochs is None and (config.max_minutes is None or ending != TimeLimit(config.max_minutes).reason):
            ended = f"has ended: {ending}" if ending else f"has finished its {counted(planned, 'epoch')}"
            raise RunError(f"{run.path} {ended}; --epochs N continues to N epochs in total")
        if epochs is not None and epochs <= planned and not ending:
            raise RunError(
                f"{run.path} has finished its {counted(planned, 'epoch')}; --epochs is a total and must be larger"
            )
    followed = of_resumed(run.path, config.track, trackers)
    config = config.model_copy(update={"epochs": epochs or planned, "track": followed})
    require_packages(config.track)
    loaded = data_of(run, config, None if changed_data else "--changed-data continues with the new data", data)
    net = net_of(run, config)
    for which in run.arrays.kept_weights():  # so that damage is noticed before anything is written
        run.arrays.read_weights(which, net.model.parameters.arrays)
    experiment = prepare(config, loaded, net.encoder)
    if changes := changed_environment(run, experiment):
        message = f"{run.path} was trained in another environment, so bytes may differ: {listing(changes)}"
        warn(message)
    return experiment


def _planned(run: RunDirectory) -> int:
    """Return the number of epochs that was last planned for the run."""
    lineage = run.status_file.lineage()
    return int(lineage[-1]["epochs"]) if lineage else config_of(run).epochs


def changed_environment(run: RunDirectory, experiment: Experiment) -> list[str]:
    """Return what has changed in the environment since a run was last trained, as in "numpy 2.4.6 (was 2.4.5)"."""
    lineage = run.status_file.lineage()
    before = lineage[-1]["environment"] if lineage else run.records.environment()
    return environment_changes(before, describe_environment(experiment.config.threads))


def resume(
    experiment: Experiment, run: RunDirectory, callbacks: Sequence[Callback] = (), fresh_patience: bool = False
) -> FreshPredictions:
    """Train a reopened run from its saved state, or from its start if it has none; see `train`.

    A run that early stopping has ended gets its whole patience again; `fresh_patience` has the same effect.
    Raises `RunError` if the state is damaged, or already beyond the last epoch.
    """
    session = SessionRecorder(run, experiment, fresh_patience)

    def restore(state: State) -> None:
        if run.arrays.has_state() and isinstance(experiment.config.optimizer, Stepper):
            run.arrays.read_state(state, ["weights", "best.weights"])
        epochs, done = experiment.config.epochs, int(state["epoch"])
        # A run that ended under another plan may lack the log row of its last epoch, or be within the next epoch.
        if done > epochs or (done == epochs != _planned(run)):
            raise RunError(f"{run.path} has done {counted(done, 'epoch')}; --epochs is a total and must be larger")
        session.fresh_patience |= run.status().get("state") == "finished"
        if (past := run.status_file.lineage()) and (past[-1]["epoch"], past[-1]["step"]) == (done, int(state["step"])):
            session.fresh_patience |= bool(past[-1].get("patience_anew"))  # it was killed before it made a step
        early = experiment.config.early_stopping
        if session.fresh_patience and early is not None and state["early_stopping.waited"] >= early.patience:
            state["early_stopping.waited"][...] = 0

    try:
        return train(experiment, run, callbacks, restore, session)
    except StateError as error:
        raise RunError(f"{run.path} is damaged: its state.npz does not fit; {error}") from None


class SessionRecorder(Callback):
    """Record in the status that a run is resumed, and from where."""

    def __init__(self, run: RunDirectory, experiment: Experiment, fresh_patience: bool) -> None:
        self.run, self.experiment, self.fresh_patience = run, experiment, fresh_patience

    def on_begin(self, training: Training) -> None:
        """Record the session, now that everything it continues from has been checked."""
        session = {
            "epoch": training.progress.epoch,
            "step": training.progress.step,
            "epochs": training.progress.epochs,
            "patience_anew": self.fresh_patience,
            "since": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "sha256": self.experiment.description["sha256"],
            "environment": describe_environment(self.experiment.config.threads),
        }
        self.run.status_file.add_session(session)
        self.run.records.remove_views()
