"""Verify a run: check all its files, train it again from its own record, and compare both runs."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nnfs_cli.errors import NnfsWarning, RunError
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.system.wording import counted, listing
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.limits import AtStep, TimeLimit
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.workflows.load_run import config_of, data_of
from nnfs_cli.workflows.resume import changed_environment, resume
from nnfs_cli.workflows.train import begin, train


class Reproduction(NamedTuple):
    """How well a run was reproduced."""

    exact: bool  # whether weights, log and figures have the same bytes, except for the seconds
    largest: float  # the largest difference between figures
    moved: list[str]  # what has changed in the environment since


class _Interrupted(BaseException):
    """Raised where the run was interrupted, so that its twin is resumed there too."""


def verify(
    run: RunDirectory, tolerance: float = 0.01, callbacks: Sequence[Callback] = (), data: Any = None
) -> Reproduction:
    """Check the digests of all files of a run, then train it again in a temporary folder, with the same resumptions.

    `data` holds the rows, if they are not where the config says, or were given in Python; see `rows_for`.

    In the same environment all bytes must be the same. In another one the final figures must agree within
    `tolerance`, relative to the figure, or to 1 if that is larger.
    Raises `RunError` with the names of all changed files, or with what could not be reproduced.
    """
    if changed := run.status_file.changed():
        are = "is" if len(changed) == 1 else "are"
        raise RunError(f"{run.path} has changed since training: {listing(changed)} {are} changed, missing or added")
    state = run.status().get("state", "unknown")
    if state != "finished":
        raise RunError(
            f"the training of {run.path} has not finished; its state is '{state}'. `nnfs resume` continues it"
        )
    config, lineage = config_of(run), run.status_file.lineage()
    if any(session.get("sha256") != run.records.data()["sha256"] for session in lineage):
        raise RunError(
            f"{run.path} was trained on data that changed between its sessions, so it cannot be trained again"
        )
    stopped = run.metrics().get("stopped")
    out_of_time = config.max_minutes is not None and stopped == TimeLimit(config.max_minutes).reason
    config = config.model_copy(update={"max_minutes": None, "track": ()})
    experiment = prepare(config, data_of(run, config, "restore the data", data))
    changes = changed_environment(run, experiment)
    with tempfile.TemporaryDirectory(prefix="nnfs-") as folder, ignored_warnings(NnfsWarning):
        twin = begin(experiment, folder)
        try:
            _train_again(experiment, run, twin, callbacks, out_of_time)
        except RunError as error:
            reason = str(error).replace(str(twin.path), "the second run")
            raise RunError(f"{run.path} is damaged: it cannot be trained again from its record; {reason}") from None
        different = list(_differences(run, twin))
        largest = max(_figures_apart(run.metrics(), twin.metrics()), default=0.0)
    if different and (not changes or largest > tolerance):
        where = " (" + listing(changes) + ")" if changes else ""
        apart = f"figures differ by up to {largest:.3g}{where}"
        raise RunError(f"{run.path} was not reproduced; what differs: {listing(different)}; {apart}")
    return Reproduction(not different, largest, changes)


def _train_again(
    experiment: Experiment, run: RunDirectory, twin: RunDirectory, callbacks: Sequence[Callback], out_of_time: bool
) -> None:
    """Repeat the sessions of a run: the same steps, towards the same numbers of epochs."""
    plans = [{"epoch": 0, "step": 0, "epochs": experiment.config.epochs}, *run.status_file.lineage()]
    if not isinstance(experiment.config.optimizer, Stepper):
        plans = plans[-1:]  # each session started from the beginning
    for i, plan in enumerate(plans):
        config = experiment.config.model_copy(update={"epochs": plan["epochs"]})
        here = experiment.anew(config)
        ends: list[Callback] = []
        if i + 1 < len(plans):
            following = plans[i + 1]
            if not following["step"]:
                continue
            ends.append(
                AtStep(following["epoch"], following["step"], lambda training: training.interrupt(_Interrupted()))
            )
        elif out_of_time:
            last = _last_row(run)
            ends.append(AtStep(int(last["epoch"]) - 1, int(last["step"]), _stop))
        try:
            if twin.arrays.has_state():
                twin.lock()
                resume(here, twin, [*ends, *callbacks], bool(plan.get("patience_anew")))
            else:
                train(here, twin, [*ends, *callbacks])
        except _Interrupted:
            pass


def _last_row(run: RunDirectory) -> dict[str, float]:
    """Return the last row of the log. Raises `RunError` if it does not give the epoch and the step."""
    rows = run.epochs()
    if not rows or not all(math.isfinite(rows[-1][key]) for key in ("epoch", "step")):
        raise RunError(f"{run.path} is damaged: its epochs.csv does not give the last epoch and step")
    return rows[-1]


def _stop(training: Training) -> None:
    training.stop("as the run that is verified")


def _differences(run: RunDirectory, twin: RunDirectory) -> Iterator[str]:
    """Yield what differs between two runs, except for seconds."""
    ours, theirs = run.arrays, twin.arrays
    others = [name for name in ours.kept_weights() if ours.weights_sha256(name) != theirs.weights_sha256(name)]
    yield from (f"the weights '{name}'" for name in others[:4])
    if len(others) > 4:
        yield f"{counted(len(others) - 4, 'more file')} of weights"
    if ours.probes_sha256() != theirs.probes_sha256():
        yield "what the probes have shown"
    if ours.blend_sha256() != theirs.blend_sha256():
        yield "the blended models"
    rows = run.epochs()
    log, again = ([repr({**row, "seconds": 0}) for row in one] for one in (rows, twin.epochs()))
    if log != again:
        first = next((row for row, a, b in zip(rows, log, again, strict=False) if a != b), None)
        yield f"the log from epoch {first['epoch']:.0f} on" if first else "the length of the log"
    figures, figures_again = ({**one.metrics(), "stopped": ""} for one in (run, twin))
    if figures != figures_again:
        yield "the figures"


def _figures_apart(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[float]:
    """Yield the differences of figures, relative to the figure, or to 1 if that is larger."""
    for name, figure in ours.items():
        other = theirs.get(name)
        if isinstance(figure, dict):
            yield from _figures_apart(figure, other or {})
        elif name not in ("stopped", "best_epoch", "blend") and figure != other:
            known = isinstance(figure, int | float) and isinstance(other, int | float)
            yield abs(figure - other) / max(1.0, abs(figure)) if known else math.inf
