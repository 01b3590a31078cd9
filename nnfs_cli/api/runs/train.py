"""Train from Python as `nnfs train` does, with a run directory, and cross-validate as `nnfs cv` does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from nnfs_cli import workflows
from nnfs_cli.api.callbacks import sort_callbacks
from nnfs_cli.api.config_from import Settings, config_from
from nnfs_cli.api.runs.cross_validation import CrossValidation
from nnfs_cli.api.runs.run import Run, resumable
from nnfs_cli.api.settings import Setting, plain
from nnfs_cli.api.tables import TableOrPath
from nnfs_cli.config.config import Config
from nnfs_cli.display.progress import fold_report, progress_for
from nnfs_cli.errors import UserError
from nnfs_cli.training.callbacks import Callback


def train(
    config: Settings,
    data: TableOrPath | None = None,
    *,
    folder: str | os.PathLike[str] = "runs",
    callbacks: Sequence[Callback | Setting] = (),
    verbose: bool | None = None,
    **settings: Any,
) -> Run:
    """Train a net, write a run directory as `nnfs train` does, and return the run.

    Parameters
    ----------
    config : path, dict or Config
        A YAML file, or its keys and values as a dict. Without `layers`, the preset chooses what is left out.
    data : table or path, optional
        The rows to learn from, instead of those of the config's data set: a table of pandas, polars or pyarrow, a NumPy
        array (rows, columns), a dict of columns, a list of dicts, or a file. The target, the columns to drop and the
        weight stay those of the config; `dataset={"table": "price"}` names only a target.
    folder : path, default "runs"
        The folder in which the run gets a directory of its own, `<name of the config>-<n>`.
    callbacks : sequence of Callback
        What watches or stops the training: `EarlyStopping(5)`, `"stop_at: 0.1"`, or objects of your own
        subclasses of `Callback`. They replace the callbacks of the config. `resume` needs your own ones again.
    verbose : bool, optional
        Whether progress is shown; by default only in a notebook or an interactive session.
    **settings
        Values for other keys of the config, such as `epochs=20`, `threads=1` or `engine="numpy"`.

    Returns
    -------
    Run

    Raises
    ------
    ConfigError
        With every fault of the config.
    DataError
        If the data cannot be used.
    DivergedError
        If a loss or a gradient is not finite.
    KeyboardInterrupt
        After Ctrl-C; the run keeps what was learned, and `Run.resume` continues it.

    Examples
    --------
    >>> from nnfs_cli import train
    >>> run = train("configs/breast_cancer.yaml", epochs=3)
    >>> run.path.as_posix()
    'runs/breast_cancer-1'
    >>> run.metrics["validation"]["accuracy"] > 0.8
    True

    With a table, here a dict of columns:

    >>> table = {"size": [50, 62, 70, 85, 90, 105, 120, 140], "price": [1, 1.3, 1.4, 1.7, 1.8, 2.1, 2.4, 2.9]}
    >>> settings = {"layers": ["linear: 8", "relu", "linear: 1"], "loss": "mse", "epochs": 50, "optimizer": "adam"}
    >>> run = train(settings, table, dataset={"table": "price"}, name="prices")
    >>> len(run.predict({"size": [75, 100]}))
    2

    """
    if isinstance(config, Mapping) and not callbacks:
        config = dict(config)
        callbacks = plain(config.pop("callbacks", ()), "callbacks")
    settings, others = sort_callbacks(callbacks, settings)
    experiment = workflows.prepare(config_from(config, data, settings))
    directory = workflows.begin(experiment, folder)
    shown = progress_for(verbose, experiment.config.checkpoint)
    with resumable(directory):
        workflows.train(experiment, directory, [*shown, *others])
    return Run(directory)


def cross_validate(
    configs: Settings | Mapping[str, Settings],
    data: TableOrPath | None = None,
    *,
    folds: int = 5,
    repeats: int = 1,
    verbose: bool | None = None,
    **settings: Any,
) -> CrossValidation:
    """Train on all folds but one and score on that one, for each fold, as `nnfs cv` does; nothing is written.

    Several processes train folds at once if that saves time, up to `threads` of them, by default one per core. The
    result is that of one process, and a script needs no guard for `__main__`. Everything stays in this process for
    callbacks of your own, and for other components of your own that `load_code` has not loaded.

    Parameters
    ----------
    configs : path, dict or Config, or a dict of several by name
        As for `train`. Several configs are compared on the same folds; a dict is one config if any of its keys is a key
        of configs.
    data : table or path, optional
        As for `train`.
    folds, repeats : int
        The number of folds, 2 or more, and how many times the rows are dealt into folds.
    verbose : bool, optional
        Whether progress is shown; by default only in a notebook or an interactive session.
    **settings
        Values for other keys of every config, such as `epochs=20`.

    Returns
    -------
    CrossValidation

    Raises
    ------
    ConfigError, DataError
        If a config or the data cannot be used, or the configs do not use the same rows.

    Examples
    --------
    >>> from nnfs_cli import cross_validate
    >>> found = cross_validate("configs/breast_cancer.yaml", folds=3, epochs=2)
    >>> found.estimates()["breast_cancer"]["accuracy"].mean > 0.8
    True
    >>> len(found.predictions)
    569

    """
    if folds < 2 or repeats < 1:
        raise UserError(f"cross-validation needs 2 folds or more, and 1 repeat or more; found {folds} and {repeats}")
    if isinstance(configs, Mapping) and configs and Config.model_fields.keys().isdisjoint(configs):
        named = {name: config_from(config, data, settings) for name, config in configs.items()}
    else:
        config = config_from(configs, data, settings)
        named = {config.name: config}
    report = fold_report(verbose, named, folds, repeats)
    return CrossValidation(workflows.cross_validate(named, folds, repeats, report))
