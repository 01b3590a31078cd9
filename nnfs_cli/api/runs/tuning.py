"""Search for good settings from Python, as `nnfs tune` does."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnfs_cli import tuning
from nnfs_cli.api.config_from import Settings, document_from
from nnfs_cli.api.frame import Frame
from nnfs_cli.api.runs.run import Run
from nnfs_cli.api.settings import plain
from nnfs_cli.api.tables import TableOrPath
from nnfs_cli.config.config import Config
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.source import DataSource
from nnfs_cli.display.stderr import note
from nnfs_cli.errors import UserError
from nnfs_cli.runs.search_directory import SearchDirectory
from nnfs_cli.system.wording import counted
from nnfs_cli.tuning.crew import Done


class Tuning:
    """The result of `tune`: the trials of a search, and the best one.

    `path` is the folder of the search, in which each trial is a run.

    >>> from nnfs_cli import tune
    >>> found = tune("configs/breast_cancer.yaml", trials=3, workers=1, search={"lr": {"log": [1e-3, 1.0]}})
    >>> len(found.trials)
    3
    """

    def __init__(self, found: tuning.Found) -> None:
        self._found = found
        self.path = found.folder

    @property
    def trials(self) -> Frame:
        """All trials: `trial`, `state`, a column for each figure and each setting, `epochs`, `seconds` and `run`.

        A setting that a trial did not draw, and a figure that it does not have, are gaps.

        >>> from nnfs_cli import tune
        >>> found = tune("configs/breast_cancer.yaml", trials=2, workers=1, search={"lr": {"log": [1e-3, 1.0]}})
        >>> found.trials.columns
        ('trial', 'state', 'loss', 'lr', 'epochs', 'seconds', 'run')
        """
        return _frame(self._found.trials, self._found.figures)

    @property
    def best(self) -> dict[str, Any]:
        """What was drawn for the best trial, by setting; an option that is a block is named by its text.

        Several metrics have a front of best trials; this is the one with the best first metric.

        >>> from nnfs_cli import tune
        >>> found = tune("configs/breast_cancer.yaml", trials=2, workers=1, search={"lr": {"log": [1e-3, 1.0]}})
        >>> 1e-3 <= found.best["lr"] <= 1.0
        True
        """
        return dict(self._best.drawn)

    @property
    def best_run(self) -> Run:
        """The run of the best trial.

        >>> from nnfs_cli import tune
        >>> found = tune("configs/breast_cancer.yaml", trials=2, workers=1, search={"lr": {"log": [1e-3, 1.0]}})
        >>> found.best_run.metrics["validation"]["accuracy"] > 0.5
        True
        """
        return Run.open(self._best.run)

    @property
    def front(self) -> Frame:
        """The best trials: one, or with several metrics those that no other trial beats in all of them."""
        return _frame([row for row in self._found.trials if row.number in self._found.front], self._found.figures)

    @property
    def importances(self) -> dict[str, float]:
        """How much each setting matters for the first metric, as shares of 1, by Optuna's PED-ANOVA."""
        return dict(self._found.importances)

    @property
    def config(self) -> str:
        """The config of the best trial as YAML, as `best.yaml` in the folder holds it.

        >>> from nnfs_cli import tune
        >>> found = tune("configs/breast_cancer.yaml", trials=2, workers=1, search={"lr": {"log": [1e-3, 1.0]}})
        >>> "lr: " in found.config
        True
        """
        self._best  # noqa: B018 - raises an error if there is none
        return self._found.config

    @property
    def _best(self) -> tuning.TrialRow:
        if self._found.best is None:
            raise UserError(f"none of {counted(len(self._found.trials), 'trial')} of {self.path} has finished")
        return self._found.best

    def __repr__(self) -> str:
        found = self._found
        size = f"{counted(len(found.trials), 'trial')} in {self.path.as_posix()}, the best first"
        return f"{size}\n\n{_frame(found.best_first(), found.figures)!r}"


def tune(
    config: Settings,
    data: TableOrPath | None = None,
    *,
    trials: int | None = None,
    minutes: float | None = None,
    workers: int | None = None,
    metrics: Sequence[Any] | str = (),
    sampler: str | None = None,
    pruner: str | None = None,
    folder: str | os.PathLike[str] = "runs",
    verbose: bool = False,
    **settings: Any,
) -> Tuning:
    """Train a config many times with settings that vary, as `nnfs tune` does, and return the trials.

    What varies stands in the key `search`; without it, a preset brings it. After an interruption, `tune` with the
    folder of the search goes on with it. With one worker, the same seed gives the same trials.

    Parameters
    ----------
    config : path, dict or Config
        As for `train`, or the path of the folder of a search to go on with.
    data : table or path, optional
        As for `train`.
    trials : int, default 100
        The number of trials in all.
    minutes : float, optional
        No trial starts after this time, and those that run are broken off, once one has finished.
    workers : int, optional
        The number of processes that train at once; by default one per core.
    metrics : str or sequence, optional
        What trials are scored by, such as `"roc_auc"`; by default the figure that chooses the best epoch. Several give
        a Pareto front.
    sampler : str, default "tpe"
        Optuna's sampler: `"tpe"`, `"random"`, `"qmc"`, `"cmaes"` or `"nsgaii"`.
    pruner : str, default "none"
        Optuna's pruner: `"none"`, `"median"`, `"halving"` or `"hyperband"`.
    folder : path, default "runs"
        The folder in which the search gets its own, `<name of the config>-tune-<n>`.
    verbose : bool, default False
        Whether a line is written about each trial.
    **settings
        Values for other keys of the config, such as `epochs=20` or `search={"lr": {"log": [1e-4, 1e-2]}}`.

    Returns
    -------
    Tuning

    Raises
    ------
    ConfigError
        With every fault of the config, and of what varies.
    KeyboardInterrupt
        After Ctrl-C; the folder keeps every trial that has ended.

    Examples
    --------
    >>> from nnfs_cli import tune
    >>> found = tune("configs/breast_cancer.yaml", trials=2, workers=1, search={"lr": {"log": [1e-3, 1.0]}}, epochs=3)
    >>> found.path.as_posix()
    'runs/breast_cancer-tune-1'

    """
    search = _search(config, data, settings, metrics, folder, trials, minutes, sampler, pruner)
    return Tuning(tuning.tune(search, workers, _line if verbose else lambda done: None))


def _search(
    config: Settings,
    data: TableOrPath | None,
    settings: Mapping[str, Any],
    metrics: Sequence[Any] | str,
    folder: str | os.PathLike[str],
    trials: int | None,
    minutes: float | None,
    sampler: str | None,
    pruner: str | None,
) -> tuning.Search:
    if isinstance(config, str | os.PathLike) and SearchDirectory.is_at(Path(config)):
        if settings or metrics or sampler or pruner:
            raise UserError(f"{config} goes on as it began; give only data, trials, minutes and workers")
        rows: Callable[[DataSource], DataSource] | None = None if data is None else lambda like: rows_for(data, like)
        return tuning.reopen(config, trials, minutes, rows)
    if isinstance(config, Config):
        config = dict(config)
    wanted = [metrics] if isinstance(metrics, str) else [*metrics]
    document = document_from(config, data, settings)
    asked: dict[str, Any] = {"trials": trials, "minutes": minutes, "sampler": sampler, "pruner": pruner}
    return tuning.begin(document, folder, [plain(one, "metrics") for one in wanted], **asked)


def _frame(rows: Sequence[tuning.TrialRow], figures: Mapping[str, object]) -> Frame:
    names = list(dict.fromkeys(name for row in rows for name in row.drawn))
    return Frame(
        {
            "trial": [row.number for row in rows],
            "state": [row.state for row in rows],
            **{figure: [row.figures.get(figure, math.nan) for row in rows] for figure in figures},
            **{name: _column([row.drawn.get(name) for row in rows]) for name in names},
            "epochs": [math.nan if row.epochs is None else row.epochs for row in rows],
            "seconds": [math.nan if row.seconds is None else row.seconds for row in rows],
            "run": [row.run.as_posix() for row in rows],
        }
    )


def _column(values: list[Any]) -> list[Any]:
    """Return values as a column of numbers, or else of texts."""
    numbers = all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values)
    if numbers:
        return [math.nan if value is None else value for value in values]
    return [None if value is None else str(value) for value in values]


def _line(done: Done) -> None:
    number, outcome = done
    figures = ", ".join(f"{value:.6g}" for value in outcome.figures)
    note(f"trial {number}: {outcome.state} {figures or outcome.message}")
