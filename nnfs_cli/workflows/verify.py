"""Reproducibility as a task: a run is trained again by its own record, and both are compared."""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from nnfs_cli.errors import NnfsWarning, RunError
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.run import Run
from nnfs_cli.system.wording import counted, listing
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.limits import AtStep, TimeLimit
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.workflows.load_run import gathered, spec_of
from nnfs_cli.workflows.resume import moved, resume
from nnfs_cli.workflows.train import begin, train


class Verdict(NamedTuple):
    """How alike a run and its twin are, where they are alike enough."""

    exact: bool  # every byte of the weights, the log and the figures, but for the time
    largest: float  # the largest difference between their figures
    moved: list[str]  # what is not as it was where the run was made


class _Left(BaseException):
    """Training is left, to be taken up again."""


def verify(run: Run, tolerance: float = 0.01, callbacks: Sequence[Callback] = ()) -> Verdict:
    """Train a run again by its own record, in a folder that vanishes, with all its interruptions that changed its plan.

    On the machine that made it, with the same versions, all bytes have to be the same; elsewhere the final figures, but
    for `tolerance`, relative to the figure or to 1 where that is larger.
    Raises `RunError` when they are not, and what is different.
    """
    if changed := run.status_file.changed():
        are = "is" if len(changed) == 1 else "are"
        raise RunError(f"{run.path} is not as it was left: {listing(changed)} {are} changed, missing or added")
    state = run.status().get("state", "unknown")
    if state != "finished":
        raise RunError(f"the training of {run.path} has not finished; its state is '{state}'. `nnfs resume` goes on")
    spec, lineage = spec_of(run), run.status_file.lineage()
    if any(sitting.get("sha256") != run.records.data()["sha256"] for sitting in lineage):
        raise RunError(f"{run.path} was trained on data that changed in between, which nobody can repeat")
    stopped = run.metrics().get("stopped")
    out_of_time = spec.max_minutes is not None and stopped == TimeLimit(spec.max_minutes).reason
    spec = spec.model_copy(update={"max_minutes": None})
    experiment = prepare(spec, gathered(run, spec, "put back what it was"))
    changes = moved(run, experiment)
    with tempfile.TemporaryDirectory(prefix="nnfs-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", NnfsWarning)  # it was said when the run was made
        twin = begin(experiment, folder)
        try:
            _train_again(experiment, run, twin, callbacks, out_of_time)
        except RunError as error:
            what = str(error).replace(str(twin.path), "its twin")
            raise RunError(f"{run.path} is damaged: its record cannot be followed; {what}") from None
        different = list(_differences(run, twin))
        largest = max(_figures_apart(run.metrics(), twin.metrics()), default=0.0)
    if different and (not changes or largest > tolerance):
        where = " (" + listing(changes) + ")" if changes else ""
        apart = f"its figures are up to {largest:.3g} from what they are here{where}"
        raise RunError(f"{run.path} is not what its record leads to, in {listing(different)}; {apart}")
    return Verdict(not different, largest, changes)


def _train_again(experiment: Experiment, run: Run, twin: Run, callbacks: Sequence[Callback], out_of_time: bool) -> None:
    """Make the same steps under the same plans."""
    plans = [{"epoch": 0, "step": 0, "epochs": experiment.config.epochs}, *run.status_file.lineage()]
    if not isinstance(experiment.config.optimizer, Stepper):
        plans = plans[-1:]  # which began anew
    for i, plan in enumerate(plans):
        spec = experiment.config.model_copy(update={"epochs": plan["epochs"]})
        here = replace(experiment, config=spec, predictor=Predictor(spec, experiment.predictor.encoder))
        ends: list[Callback] = []
        if i + 1 < len(plans):
            following = plans[i + 1]
            if not following["step"]:
                continue
            ends.append(AtStep(following["epoch"], following["step"], lambda training: training.interrupt(_Left())))
        elif out_of_time:
            last = _last_row(run)
            ends.append(AtStep(int(last["epoch"]) - 1, int(last["step"]), _stop))
        try:
            if twin.arrays.has_state():
                twin.lock()
                resume(here, twin, [*ends, *callbacks], bool(plan.get("patience_anew")))
            else:
                train(here, twin, [*ends, *callbacks])
        except _Left:
            pass


def _last_row(run: Run) -> dict[str, float]:
    """Of the log. Raises `RunError` where it has none that says where training was."""
    rows = run.epochs()
    if not rows or not all(math.isfinite(rows[-1][key]) for key in ("epoch", "step")):
        raise RunError(f"{run.path} is damaged: its epochs.csv does not say where training was")
    return rows[-1]


def _stop(training: Training) -> None:
    training.stop("as the run that is verified")


def _differences(run: Run, twin: Run) -> Iterator[str]:
    """What is not the same in both, but for times."""
    ours, theirs = run.arrays, twin.arrays
    others = [name for name in ours.kept_weights() if ours.weights_sha256(name) != theirs.weights_sha256(name)]
    yield from (f"the weights '{name}'" for name in others[:4])
    if len(others) > 4:
        yield f"{counted(len(others) - 4, 'more file')} of weights"
    rows = run.epochs()
    log, again = ([repr({**row, "seconds": 0}) for row in one] for one in (rows, twin.epochs()))  # nan is not nan
    if log != again:
        first = next((row for row, a, b in zip(rows, log, again, strict=False) if a != b), None)
        yield f"the log from epoch {first['epoch']:.0f} on" if first else "the length of the log"
    figures, figures_again = ({**one.metrics(), "stopped": ""} for one in (run, twin))
    if figures != figures_again:
        yield "the figures"


def _figures_apart(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[float]:
    """How far figures are apart, relative to the figure, or to 1 where that is larger."""
    for name, figure in ours.items():
        other = theirs.get(name)
        if isinstance(figure, dict):
            yield from _figures_apart(figure, other or {})
        elif name not in ("stopped", "best_epoch") and figure != other:
            known = isinstance(figure, int | float) and isinstance(other, int | float)
            yield abs(figure - other) / max(1.0, abs(figure)) if known else math.inf
