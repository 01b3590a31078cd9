"""A run that was left, or is to be trained further, is taken up again."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime

from nnfs_cli.errors import NnfsWarning, RunError
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.runs.environment import describe_environment, environment_changes
from nnfs_cli.runs.run import Run
from nnfs_cli.system.wording import counted, listing
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.limits import TimeLimit
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.progress import State, StateError
from nnfs_cli.workflows.load_run import gathered, net_of, spec_of
from nnfs_cli.workflows.train import train


def reopen(run: Run, epochs: int | None = None, changed_data: bool = False) -> Experiment:
    """What a run was about, to `train` it further: to its last epoch, or to as many as are given, all in all.

    The run is locked until it is trained, or released. Warns of what is not as it was where the run was made.
    Raises `RunError` where there is nothing to go on with, `DataError` when the data is gone, or has changed and that
    was not said, and `BlockingIOError` when another process trains it.
    """
    run.lock()
    try:
        return _reopened(run, epochs, changed_data)
    except BaseException:
        run.release()
        raise


def _reopened(run: Run, epochs: int | None, changed_data: bool) -> Experiment:
    spec, state = spec_of(run), run.status().get("state", "running")
    planned = _planned(run)
    if state == "diverged":
        raise RunError(f"{run.path} has diverged, and would again; train anew, with a smaller lr for example")
    if state == "finished":
        ending = run.metrics().get("stopped")
        if not run.arrays.has_state() and isinstance(spec.optimizer, Stepper):
            raise RunError(f"{run.path} keeps no state to go on from; an earlier release made it. Train anew")
        if epochs is None and (spec.max_minutes is None or ending != TimeLimit(spec.max_minutes).reason):
            ended = f"has ended, since {ending}" if ending else f"has finished its {counted(planned, 'epoch')}"
            raise RunError(f"{run.path} {ended}; --epochs N trains it further, to N epochs in all")
        if epochs is not None and epochs <= planned and not ending:
            raise RunError(f"{run.path} has finished its {counted(planned, 'epoch')}; --epochs takes more, in all")
    spec = spec.model_copy(update={"epochs": epochs or planned})
    loaded = gathered(run, spec, None if changed_data else "--changed-data goes on with it as it is")
    net = net_of(run, spec)
    for which in run.arrays.kept_weights():  # damage is noticed before anything is made or written
        run.arrays.read_weights(which, net.model.parameters.arrays)
    experiment = prepare(spec, loaded, net.encoder)
    if changes := moved(run, experiment):
        message = f"{run.path} was trained elsewhere, so that bytes may differ: {listing(changes)}"
        warnings.warn(message, NnfsWarning, stacklevel=4)
    return experiment


def _planned(run: Run) -> int:
    """How many epochs there were to be."""
    lineage = run.status_file.lineage()
    return int(lineage[-1]["epochs"]) if lineage else spec_of(run).epochs


def moved(run: Run, experiment: Experiment) -> list[str]:
    """What is not as it was where a run was trained."""
    lineage = run.status_file.lineage()
    before = lineage[-1]["environment"] if lineage else run.records.environment()
    return environment_changes(before, describe_environment(experiment.threads))


def resume(experiment: Experiment, run: Run, callbacks: Sequence[Callback] = (), patience_anew: bool = False) -> None:
    """The same as `train` with a run that was reopened, from where it was left: with no state kept, from its start.

    What has been stopped early, and is trained further all the same, has all of another patience.
    Raises `RunError` when its state is damaged, or further than the epochs that it is to be trained.
    """
    sitting = Sitting(run, experiment, patience_anew)

    def restore(state: State) -> None:
        if run.arrays.has_state() and isinstance(experiment.config.optimizer, Stepper):
            run.arrays.read_state(state, ["weights", "best.weights"])
        epochs, done = experiment.config.epochs, int(state["epoch"])
        # At the end of another plan there may be a part of the next epoch, and no row of the log for the last one.
        if done > epochs or (done == epochs != _planned(run)):
            raise RunError(f"{run.path} has done {counted(done, 'epoch')}; --epochs takes more, in all")
        sitting.patience_anew |= run.status().get("state") == "finished"
        if (past := run.status_file.lineage()) and (past[-1]["epoch"], past[-1]["step"]) == (done, int(state["step"])):
            sitting.patience_anew |= bool(past[-1].get("patience_anew"))  # it was killed before it made a step
        early = experiment.config.early_stopping
        if sitting.patience_anew and early is not None and state["early_stopping.waited"] >= early.patience:
            state["early_stopping.waited"][...] = 0

    try:
        train(experiment, run, callbacks, restore, sitting)
    except StateError as error:
        raise RunError(f"{run.path} is damaged: in its state.npz {error}") from None


class Sitting(Callback):
    """Writes down that a run is trained again, and from where."""

    def __init__(self, run: Run, experiment: Experiment, patience_anew: bool) -> None:
        self.run, self.experiment, self.patience_anew = run, experiment, patience_anew

    def on_begin(self, training: Training) -> None:
        """When all that it goes on from has been found to be sound."""
        sitting = {
            "epoch": training.progress.epoch,
            "step": training.progress.step,
            "epochs": training.progress.epochs,
            "patience_anew": self.patience_anew,
            "since": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "sha256": self.experiment.description["sha256"],
            "environment": describe_environment(self.experiment.threads),
        }
        self.run.status_file.add_session(sitting)
