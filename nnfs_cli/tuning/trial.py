"""The training of one trial: the task of a worker, and what it says about it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from nnfs_cli.components.user_code import CodeFile
from nnfs_cli.config.config import Config
from nnfs_cli.errors import DivergedError, NnfsError, NnfsWarning, RunError
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import LoadedData
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.search_directory import SearchDirectory
from nnfs_cli.system import worker_loop
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow
from nnfs_cli.workflows.train import record_beginning, train

PRUNED = "its search pruned it"  # why a training stopped
PATIENCE = 20.0  # seconds to wait for a process of an earlier session to end

State = Literal["finished", "pruned", "diverged", "failed"]


@dataclass(frozen=True)
class Shared:
    """What all trials of a search share: plain values that another process can receive.

    The `code` comes first, since it defines components of the configs. `loaded` is None if a trial may read the rows in
    its own way.
    """

    code: tuple[CodeFile, ...]
    loaded: LoadedData | None
    folder: Path
    figures: Mapping[str, Mode]
    prunes: bool


class Task(NamedTuple):
    """A trial to train: its number, counted from 1, its config, and how many threads it may use."""

    number: int
    config: Config
    threads: int | None


class Log(NamedTuple):
    """The figure of a trial after an epoch, which decides whether it goes on."""

    number: int
    epoch: int
    figure: float


class Outcome(NamedTuple):
    """What came of a trial: its state, a figure for each that is asked for if it has finished, and why it failed."""

    state: State
    figures: tuple[float, ...] = ()
    message: str = ""
    epochs: int = 0
    seconds: float = 0.0


def train_trial(shared: Shared, task: Task, ask: Callable[[Log], bool] = worker_loop.ask) -> Outcome:
    """Train a trial as an ordinary run, and return its figures. A trial that has finished before is not trained again.

    `ask` says after an epoch whether to stop.
    """
    search = SearchDirectory(shared.folder)
    run = search.trial(task.number)
    try:
        _wait_for(run)
        if (known := _known(run, task, shared)) is not None:
            return known
        start = time.perf_counter()
        _train(search, task, shared, ask)
        return outcome_of(run, shared)._replace(seconds=time.perf_counter() - start)
    except DivergedError as error:
        return Outcome("diverged", (), str(error).partition("\n")[0])
    except NnfsError as error:
        return Outcome("failed", (), str(error))


def outcome_of(run: RunDirectory, shared: Shared) -> Outcome:
    """Return what came of a run that has finished. Raises `RunError` if it is damaged."""
    metrics, last = run.metrics(), run.log.last() or {}
    found = {figure: metrics.get("validation", {}).get(figure) for figure in shared.figures}
    epochs, seconds = int(last.get("epoch", 0)), float(last.get("seconds", 0.0))
    if undefined := [figure for figure, value in found.items() if value is None]:
        return Outcome("failed", (), f"{undefined[0]} is not defined on its validation rows", epochs, seconds)
    state: State = "pruned" if str(metrics.get("stopped", "")).startswith(PRUNED) else "finished"
    return Outcome(state, tuple(float(value) for value in found.values() if value is not None), "", epochs, seconds)


def _train(search: SearchDirectory, task: Task, shared: Shared, ask: Callable[[Log], bool]) -> None:
    config = task.config.model_copy(update={"threads": task.threads or task.config.threads})
    judges = [_Judge(task.number, next(iter(shared.figures)), ask)] if shared.prunes else []
    with ignored_warnings(NnfsWarning):  # the same warnings would come again for every trial
        experiment = prepare(config, shared.loaded)
        run = search.new_trial(task.number)
        try:
            record_beginning(run, experiment.config, experiment.description)
        except BaseException:
            run.discard()
            raise
        train(experiment, run, judges)


def _wait_for(run: RunDirectory) -> None:
    """Wait for a worker of an earlier session that has not noticed yet that its search was killed."""
    end = time.monotonic() + PATIENCE
    while run.path.is_dir():
        try:
            with run.writing():
                return
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _known(run: RunDirectory, task: Task, shared: Shared) -> Outcome | None:
    """Return what came of a run that had ended before its search was killed; None if it is to be trained."""
    if not run.path.is_dir():
        return None
    try:
        state = run.status().get("state")
        same = not task.config.source or run.records.config_source() == task.config.source
        return outcome_of(run, shared) if state == "finished" and same else None
    except RunError:
        return None


class _Judge(Callback):
    """A callback that asks after each logged epoch whether the trial goes on."""

    def __init__(self, number: int, figure: str, ask: Callable[[Log], bool]) -> None:
        self._number, self._figure, self._ask = number, f"val_{figure}", ask

    def on_log(self, training: Training, row: LogRow) -> None:
        """Stop the training if the search says so."""
        value = row.get(self._figure, math.nan)
        if not math.isfinite(value) or training.average.pending:
            return
        if self._ask(Log(self._number, training.progress.epoch, float(value))):
            training.stop(f"{PRUNED} after epoch {training.progress.epoch}")
