"""The shortest way from a table to a trained net."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnfs_cli.api.classifier import NetClassifier
from nnfs_cli.api.findings import Findings
from nnfs_cli.api.regressor import NetRegressor
from nnfs_cli.api.settings import complete_net, loss_of, plain
from nnfs_cli.api.tables import TableLike
from nnfs_cli.api.training_summary import TableReport
from nnfs_cli.api.training_table import has_names
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
from nnfs_cli.inspection.findings import Finding, InspectedRows, find
from nnfs_cli.inspection.load_config import complete
from nnfs_cli.inspection.propose import Proposal, propose
from nnfs_cli.inspection.table_profile import profile_file, profile_table
from nnfs_cli.inspection.write_config import write_config
from nnfs_cli.workflows.baselines import BASELINES
from nnfs_cli.workflows.compare import beside_baselines
from nnfs_cli.workflows.figures import Figures
from nnfs_cli.workflows.result import TrainingResult

SIMPLE = BASELINES[:2]  # the constant and the linear model, which take little time
MAX_CELLS = 2_000_000  # cells of the training rows up to which simple models are fitted


def fit(
    table: TableLike | str | os.PathLike[str],
    target: str,
    *,
    drop: str | Sequence[str] = (),
    weight: str | None = None,
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
        are called x0, x1, ..., or the path of a CSV or Parquet file.
    target : str
        Column to predict. It must have a value in every row.
    drop : str or sequence of str, default=()
        More columns to leave out.
    weight : str, default=None
        Column with the weight of each row, 0 or more.
    verbose : bool, default=None
        Whether to show the progress. By default, notebooks and interactive sessions show it.
    random_state : int, default=0
        Seed of all random numbers. The same table and seed give the same net.
    **settings
        Keys of a config, which override what was proposed: ``epochs=20``, ``split={"test": 0.3}``,
        ``layers=["linear: 16", "relu"]``, ``loss="mse"``, and so on.

    Returns
    -------
    NetClassifier or NetRegressor
        The trained estimator. It finds its inputs by name, so that new tables may have other columns, in any order.
        `findings` has what was found out, in sentences; `summary()` the figures; `config_text` the proposed config.

    Raises
    ------
    DataError
        If the table cannot be read, has no such column, or leaves nothing to learn.
    ConfigError
        If a setting is wrong.
    DivergedError
        If the training diverges.

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
    if not isinstance(target, str) or not target:
        found = type(target).__name__ if not isinstance(target, str) else "an empty one"
        instead = "give inputs and targets apart to NetClassifier().fit(X, y) or NetRegressor().fit(X, y)"
        raise DataError(f"target should be the name of a column, as a text, found {found}; {instead}")
    if "dataset" in settings:
        raise ConfigError("fit trains on its table; leave out dataset")
    if isinstance(table, str | os.PathLike):
        content, profile = None, profile_file(Path(table), target)
    else:
        content = to_arrow_table(table)
        profile = profile_table(InMemory(target=(target,)).of(content))
    proposal = propose(profile, target, (drop,) if isinstance(drop, str) else tuple(drop), weight)
    text = write_config(proposal, Path.cwd())
    config = _config(proposal, text, content, {"seed": random_state, **settings})
    loaded = load_data(config)
    experiment = prepare(config, loaded)
    findings = Findings(_findings(proposal, config, loaded, experiment))
    result = TrainingResult.of(experiment, progress_for(verbose, config.checkpoint))
    kind = NetRegressor if config.loss.task == "regression" else NetClassifier
    inputs = list(result.predictor.encoder.kinds)
    as_array = not (content is None or has_names(table)) and inputs == [f"x{j}" for j in range(len(inputs))]
    estimator: NetClassifier | NetRegressor = kind._of(result, by_name=not as_array)
    estimator._report = TableReport(findings, text, _comparison(experiment, loaded))
    return estimator


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
    if merged.get("layers") is not None:
        merged["layers"] = _whole_net(proposal, merged["layers"], merged["loss"])
    return complete(Document("run", Path.cwd(), data={**merged, "dataset": dataset}))


def _whole_net(proposal: Proposal, layers: Any, loss: Any) -> Any:
    """Return layers with an output layer, if they lack one. Raises `ConfigError` if there is no such loss."""
    resolved = loss_of(loss)
    classes = proposal.profile.columns[proposal.target].different if resolved.task == "classification" else None
    return complete_net(layers, resolved, Facts(len(proposal.inputs), classes, 1))


def _findings(proposal: Proposal, config: Config, loaded: LoadedData, experiment: Experiment) -> Iterator[Finding]:
    """Yield what was chosen, and then what `nnfs check` finds, each column's leak once."""
    chosen = list(choices(proposal, config))
    yield from chosen
    told = {(one.what, one.column) for one in chosen}
    for finding in find(config, loaded, experiment, InspectedRows.of(loaded)):
        if (finding.what, finding.column) not in told:
            yield finding


def _comparison(experiment: Experiment, loaded: LoadedData) -> dict[str, Figures]:
    """Return the figures of the net and of simple models on test rows, or else on validation rows, if that is quick."""
    split = next((split for split in ("test", "validation") if split in experiment.splits), None)
    if split is None or loaded.budget is not None or len(loaded.rows["train"]) * len(loaded.kinds) > MAX_CELLS:
        return {}
    return beside_baselines("net", experiment.predictor, loaded, experiment.splits, [split], SIMPLE)
