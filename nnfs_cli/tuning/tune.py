"""A whole search: begin it, or go on with one that was ended in whatever way."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnfs_cli.components.user_code import LOADED, comes_from_files
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.errors import ConfigError, DataError, RunError
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import LoadedData, load_data
from nnfs_cli.runs.search_directory import SearchDirectory
from nnfs_cli.search.base import Scalar
from nnfs_cli.system.extras import needed
from nnfs_cli.tracking.trackers import require_packages
from nnfs_cli.tuning.crew import Done, run_trials
from nnfs_cli.tuning.figures import chosen_figures, with_metrics
from nnfs_cli.tuning.found import Found, rows_of
from nnfs_cli.tuning.plan import Plan
from nnfs_cli.tuning.recipe import Recipe
from nnfs_cli.tuning.study import Study
from nnfs_cli.tuning.trial import Log, Outcome, Shared, Task
from nnfs_cli.workflows.cross_validate import most_workers
from nnfs_cli.workflows.result import without_rows

READ_ANEW = ("loss", "preprocessing")  # keys that decide how a table is read
Report = Callable[[Done], object]


@dataclass(frozen=True)
class Search:
    """A search that is ready: its locked folder, its plan, the config itself, complete, and its rows."""

    directory: SearchDirectory
    plan: Plan
    recipe: Recipe
    config: Config
    loaded: LoadedData

    @property
    def path(self) -> Path:
        """The folder of the search."""
        return self.directory.path

    @property
    def most_workers(self) -> int:
        """How many processes may train at once: one per core, as far as memory allows; 0 if only this one may."""
        parts = [self.config, *self.recipe.space.values()]
        if not comes_from_files(parts) or any(callback.is_own() for callback in self.config.callbacks):
            return 0
        return most_workers({"": self.config}, {"": self.loaded})


def begin(
    document: Document, folder: str | os.PathLike[str] = "runs", metrics: Sequence[Any] = (), **asked: Any
) -> Search:
    """Make and lock the folder of a new search of a config, in `folder`.

    `metrics` are what trials are scored by: names of figures, or metrics as a config has them; by default it is the
    figure that chooses the best epoch. `asked` are fields of `Plan`. All that can be wrong is found before anything is
    trained, and then no folder is left. Raises `ConfigError`, `DataError` or `UserError`.
    """
    _require_optuna()
    recipe = Recipe.of(document)
    config = recipe.config({})
    if (more := with_metrics(document, config, metrics)) is not document:
        recipe = Recipe.of(more)
        config = recipe.config({})
    require_packages(config.track)
    loaded = load_data(config)
    figures = chosen_figures(prepare(config, loaded), metrics, recipe.space, config)
    asked = {key: value for key, value in asked.items() if value is not None}
    plan = Plan(f"{config.name}-tune", figures, **asked, seed=config.seed, sha256=_digests(loaded))
    directory = SearchDirectory.create(folder, config.name)
    try:
        plan = replace(plan, folder=_relative(document.folder, directory.path))
        directory.furnish(recipe.whole, plan.plain())
    except BaseException:
        directory.discard()
        raise
    return Search(directory, plan, recipe, config, loaded)


def reopen(
    path: str | os.PathLike[str], trials: int | None = None, minutes: float | None = None, rows: Any = None
) -> Search:
    """Lock the folder of a search and return it, to go on where it was; `trials` is their number in all.

    `rows` bind the rows of a table that was given in Python: a function from its data set to that with rows.
    Raises `RunError` if the folder is damaged, `DataError` if the data is missing or has changed, and `BlockingIOError`
    if another process searches there.
    """
    _require_optuna()
    directory = SearchDirectory.open(path)
    directory.lock()
    try:
        plan = Plan.read(directory.plan(), str(path)).changed(trials, minutes)
        recipe = _recipe(directory, plan, rows)
        config = recipe.config({})
        if isinstance(config.dataset, InMemory) and not config.dataset.has_rows:
            raise DataError(f"the rows of {path} were given in Python; go on there, with `tune({str(path)!r}, table)`")
        loaded = load_data(config)
        if plan.sha256 != _digests(loaded):
            raise DataError(f"the data has changed since {path} began, so its trials could not be compared; begin anew")
        directory.write_plan(plan.plain())
    except BaseException:
        directory.release()
        raise
    return Search(directory, plan, recipe, config, loaded)


def tune(search: Search, workers: int | None = None, report: Report = lambda done: None) -> Found:
    """Train trials until there are as many as the plan asks for, or its minutes are over, and return what was found.

    Up to `workers` processes train at once, by default one per core. With one, the same seed gives the same trials,
    however often the search is ended and goes on; with several, so does the sampler random. Ctrl-C and SIGTERM
    end the search at once; what was being trained is trained again when it goes on. The folder is released at the end.
    """
    try:
        study = Study(search.directory.journal(), search.plan, search.recipe.space)
        study.begin_with(_own_values(search))
        trials = _Trials(search, study)
        anew = any(name.partition(".")[0] in READ_ANEW for name in search.recipe.space)
        code = tuple(LOADED.values())
        folder, prunes = search.path.absolute(), search.plan.pruner != "none"
        shared = Shared(code, None if anew else search.loaded, folder, search.plan.figures, prunes)
        most = search.most_workers
        trials.config_of = (lambda config: config) if anew else without_rows
        n = min(most if workers is None else workers, search.plan.trials) if most else 0
        trials.threads = 1 if n > 1 else None
        until = None if search.plan.minutes is None else time.monotonic() + 60 * search.plan.minutes
        run_trials(trials, shared, n, until, report)
        return _found(search, study)
    finally:
        search.directory.release()


class _Trials:
    """The trials of a search as workers see them."""

    def __init__(self, search: Search, study: Study) -> None:
        self._search, self._study = search, study
        self.threads: int | None = None
        self.config_of: Callable[[Config], Config] = without_rows

    def take(self) -> Task | None:
        """Return the next trial whose settings go together; those that do not are recorded as failed."""
        while (proposal := self._study.propose()) is not None:
            try:
                config = self._search.recipe.config(proposal.values)
            except ConfigError as error:
                self._study.record(proposal.number, Outcome("failed", (), str(error)))
                continue
            return Task(proposal.number, self.config_of(config), self.threads)
        return None

    def prunes(self, log: Log) -> bool:
        """Return whether a trial is to stop."""
        return self._study.prunes(log)

    def record(self, number: int, outcome: Outcome) -> None:
        """Record the outcome of a trial."""
        self._study.record(number, outcome)

    @property
    def any_finished(self) -> bool:
        """Whether a trial has finished."""
        return self._study.n_finished > 0


def _found(search: Search, study: Study) -> Found:
    """Return what was found, and write the config of the best trial."""
    rows, path = rows_of(study, search.path), search.path
    found = Found(path, search.plan.figures, rows, study.front(), study.importances())
    if (best := found.best) is None:
        return found
    values = study.values_of(best.number)
    text = search.recipe.moved_text(values, path.absolute())
    return replace(found, config=text, config_file=search.directory.write_best(text))


def _own_values(search: Search) -> Mapping[str, Scalar]:
    """Return what has to be drawn so that the first trial is the config as it is, as far as it lies in the space."""
    drawn: dict[str, Scalar] = {}
    for name, distribution in search.recipe.space.items():
        found = distribution.draws_of(name, search.recipe.value_of(name, search.config))
        drawn |= found or {}
    return drawn


def _recipe(directory: SearchDirectory, plan: Plan, rows: Any) -> Recipe:
    folder = Path(os.path.normpath(directory.path.absolute() / plan.folder))
    document = Document.parse(directory.config(), str(directory.config_file), folder)
    if rows is not None:
        like = Config.outline(document, files_must_exist=False)["dataset"]
        document = replace(document, data={**document.data, "dataset": rows(like)})
    if "search" not in document.data:
        raise RunError(f"{directory.path} is damaged: its config has no block `search`")
    return Recipe.of(document)


def _digests(loaded: LoadedData) -> dict[str, str]:
    return {split: str(reader.sha256) for split, reader in loaded.readers.items()}


def _relative(folder: Path, path: Path) -> str:
    try:
        return Path(os.path.relpath(folder, path.absolute())).as_posix()
    except ValueError:  # on another drive of Windows
        return folder.absolute().as_posix()


def _require_optuna() -> None:
    with needed("tune", "nnfs tune"):
        import optuna  # noqa: F401
