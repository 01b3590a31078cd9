"""The shortest way from a table to a trained net."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from nnfs_cli.api.callbacks import sort_callbacks
from nnfs_cli.api.estimators.classifier import NetClassifier
from nnfs_cli.api.estimators.findings import Findings
from nnfs_cli.api.estimators.parameters import early_stopping_as_key, errors_in_python
from nnfs_cli.api.estimators.regressor import NetRegressor
from nnfs_cli.api.estimators.training_summary import TableReport
from nnfs_cli.api.settings import Setting, class_loss, complete_net, loss_of, plain
from nnfs_cli.api.tables import TableLike, has_names
from nnfs_cli.config import yaml
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.python_tables import to_arrow_table
from nnfs_cli.data.source import Facts
from nnfs_cli.display.progress import progress_for
from nnfs_cli.errors import ConfigError, DataError
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.experiment.read_data import LoadedData, load_data
from nnfs_cli.inspection.choices import choices
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.inspection.findings import find
from nnfs_cli.inspection.inspected_rows import InspectedRows
from nnfs_cli.inspection.load_config import complete
from nnfs_cli.inspection.propose import Proposal, propose
from nnfs_cli.inspection.table_profile import profile_file, profile_table
from nnfs_cli.inspection.write_config import write_config
from nnfs_cli.system.remote.file import location
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.workflows.baselines import BASELINES
from nnfs_cli.workflows.compare import Comparison, beside_baselines
from nnfs_cli.workflows.result import TrainingResult

SIMPLE = BASELINES[:2]  # the constant and the linear model, which take little time
MAX_CELLS = 2_000_000  # cells of the training rows up to which simple models are fitted


def fit(
    table: TableLike | str | os.PathLike[str],
    target: str | int,
    *,
    drop: str | Sequence[str] = (),
    weight: str | None = None,
    callbacks: Sequence[Callback | Setting] = (),
    verbose: bool | None = None,
    random_state: int = 0,
    **settings: Any,
) -> NetClassifier | NetRegressor:
    """Inspect a table, train a net that predicts one of its columns, and return it with what was found out.

    It does what `nnfs init` and `nnfs train` do: it decides from the target whether to learn classes or numbers, leaves
    out columns that a net cannot learn from or that give the target away, holds out a fifth of the rows (of 100 or
    more) as test rows, and trains the preset `tabular`.

    Parameters
    ----------
    table : table, dict of columns, list of rows, or path
        A table of pandas, polars or pyarrow, a dict of columns, a list of dicts, an array (rows, columns) whose columns
        are called x0, x1, ..., or the path or URL of a file.
    target : str
        Column to predict. It must have a value in every row. A number is the name of a column of pandas.
    drop : str or sequence of str, default=()
        More columns to leave out.
    weight : str, default=None
        Column with the weight of each row, 0 or more.
    callbacks : list of callbacks, default=()
        What watches the training: objects of your own subclasses of `Callback`, or built-in ones such as
        ``{"stop_at": 0.1}``.
    verbose : bool, default=None
        Whether to show the progress. By default, notebooks and interactive sessions show it.
    random_state : int, default=0
        Seed of all random numbers. The same table and seed give the same net.
    **settings
        Keys of a config, which override what was proposed: ``epochs=20``, ``split={"test": 0.3}``,
        ``layers=["linear: 16", "relu"]``, ``loss="mse"``, and so on. A ``split`` replaces the proposed one as a whole,
        so that ``split=0.3`` gives validation rows and no test rows.

    Returns
    -------
    NetClassifier or NetRegressor
        The trained estimator. It finds its inputs by name, so that new tables may have other columns, in any order.
        `findings` has what was found out, in sentences; `summary()` the figures; `config_text` the proposed config.
        Its parameters are the settings that you gave, so that `clone` makes an estimator for any table; `config_` has
        what was chosen for this one.

    Raises
    ------
    DataError
        If the table cannot be read, has no such column, or leaves nothing to learn.
    ConfigError
        If a setting is wrong.
    DivergedError
        If the training diverges.
    KeyboardInterrupt
        After Ctrl-C. Nothing is kept; `train` writes a run, which can be resumed.

    Examples
    --------
    >>> import nnfs_cli
    >>> rows = [{"id": i, "size": i % 7, "town": "ABC"[i % 3], "price": 3.5 * (i % 7) + i % 3} for i in range(60)]
    >>> net = nnfs_cli.fit(rows, "price", epochs=10)
    >>> print(net.findings[1])
    'id' is left out, since it numbers the rows
    >>> net.predict([{"town": "B", "size": 4}]).shape
    (1,)

    """
    if "dataset" in settings:
        raise ConfigError("fit trains on its table; leave out dataset")
    content = None if isinstance(table, str | os.PathLike) else to_arrow_table(table)
    name = _target_name(target, content)
    if content is None:
        profile = profile_file(location(table), name)  # type: ignore[arg-type]  # a path, as was just checked
    else:
        profile = profile_table(InMemory(target=(name,)).of(content))
    leaves_out = settings.get("missing_target") == "drop" or settings.get("on_error") == "skip"
    proposal = propose(profile, name, (drop,) if isinstance(drop, str) else tuple(drop), weight, leaves_out)
    text = write_config(proposal, Path.cwd())
    changes, others = sort_callbacks(callbacks, early_stopping_as_key(settings))
    with errors_in_python({"seed": "random_state"}):
        config = _config(proposal, text, content, {"seed": random_state, **changes})
        loaded = load_data(config)
        experiment = prepare(config, loaded)
    findings = Findings(_findings(proposal, config, loaded, experiment))
    result = TrainingResult.of(experiment, [*progress_for(verbose, config.checkpoint), *others])
    kind = NetRegressor if config.loss.task == "regression" else NetClassifier
    names = [column for column in profile.table.columns if column in result.predictor.encoder.kinds]
    as_array = not (content is None or has_names(table)) and names == [f"x{j}" for j in range(len(names))]
    given = {"seed": random_state, **settings, "callbacks": callbacks}
    estimator: NetClassifier | NetRegressor = kind._of(result, given, None if as_array else names)
    estimator._report = TableReport(findings, text, _comparison(experiment, loaded))
    return estimator


def _target_name(target: object, content: Any) -> str:
    """Return the name of the target in a table; pandas may name columns by numbers, which become texts."""
    if isinstance(target, Integral) and content is not None and str(target) in content.column_names:
        return str(target)
    if isinstance(target, str) and target:
        return target
    found = type(target).__name__ if not isinstance(target, str) else "an empty one"
    instead = "give inputs and targets apart to NetClassifier().fit(X, y) or NetRegressor().fit(X, y)"
    raise DataError(f"target should be the name of a column, as a text, found {found}; {instead}")


def _config(proposal: Proposal, text: str, content: Any, settings: Mapping[str, Any]) -> Config:
    """Return the config in a text, with settings that override its keys; `content` are the rows given in Python."""
    proposed: dict[str, Any] = yaml.read(text.encode())[0]
    dataset = proposed.pop("dataset")
    if content is not None:
        dataset = InMemory(**dataset[InMemory.name]).of(content)
    settings = {key: plain(value, key) for key, value in settings.items()}
    if "loss" in settings:  # what was proposed for another loss need not fit
        del proposed["metrics"]
        proposed.get("preprocessing", {}).pop("target", None)
    merged = {**proposed, **settings}
    if (layers := merged.get("layers")) is not None:
        if "loss" not in settings and proposal.task.goal != "regression":
            merged["loss"] = class_loss(layers, _facts(proposal, "classification"))
        loss = loss_of(merged["loss"])
        merged["layers"] = complete_net(layers, loss, _facts(proposal, loss.task))
    return complete(Document("run", Path.cwd(), data={**merged, "dataset": dataset}))


def _facts(proposal: Proposal, task: str) -> Facts:
    """Return the facts of the proposed inputs and target, for classes or numbers."""
    classes = proposal.profile.columns[proposal.targets[0]].different if task == "classification" else None
    return Facts(len(proposal.inputs), classes, 1)


def _findings(proposal: Proposal, config: Config, loaded: LoadedData, experiment: Experiment) -> Iterator[Finding]:
    """Yield what was chosen, and then what `nnfs check` finds, each column's leak once."""
    told = list(choices(proposal, config))
    yield from told
    known = {(one.what, one.column) for one in told}
    for finding in find(config, loaded, experiment, InspectedRows.of(loaded)):
        if (finding.what, finding.column) not in known:
            yield finding


def _comparison(experiment: Experiment, loaded: LoadedData) -> Comparison:
    """Return the figures of the net and of simple models on test rows, or else on validation rows, if that is quick."""
    split = next((split for split in ("test", "validation") if split in experiment.splits), None)
    if split is None or loaded.budget is not None or len(loaded.rows["train"]) * len(loaded.kinds) > MAX_CELLS:
        return Comparison()
    return beside_baselines("net", experiment.predictor, loaded, experiment.splits, [split], SIMPLE)
