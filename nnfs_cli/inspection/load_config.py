"""Load a config and let its preset fill in what the config leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.labels import TARGET
from nnfs_cli.data.left_out import LeftOut
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.split import Split
from nnfs_cli.data.steps.log1p import Log1p
from nnfs_cli.data.steps.quantile import Quantile
from nnfs_cli.data.table import Table, gaps_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import NnfsWarning
from nnfs_cli.inspection.column_kinds import profile_column
from nnfs_cli.inspection.propose import task_of
from nnfs_cli.inspection.table_profile import read_some
from nnfs_cli.inspection.tails import follows_tail, is_heavy_tailed
from nnfs_cli.presets import TableFacts
from nnfs_cli.presets.tabular import Tabular
from nnfs_cli.system.ignored_warnings import ignored_warnings


def load(path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Read a config file, apply ``key.sub=value`` overrides, and let the preset fill in what is missing.

    Without `layers` the preset is `tabular`. Raises `ConfigError` with every fault, and `DataError` when the data
    cannot be read.
    """
    return complete(Document.load(Path(path), overrides))


def complete(document: Document) -> Config:
    """Let the preset of a parsed config fill in what is missing. Raises the same errors as `load`."""
    return Config.read(fill_in(document))


def fill_in(document: Document, facts: TableFacts | None = None) -> Document:
    """Return a parsed config with what its preset fills in. The `facts` are those of its table, if they are known.

    Raises `ConfigError` with every fault of the keys that are given, and `DataError` when the data cannot be read.
    """
    given = document.data
    if not is_filled_in(document):
        return document
    values = Config.outline(document)
    preset = values.get("preset") or Tabular()
    filled = preset.fill(values, facts or _summarize(values))
    document = replace(document, data={**given, "dataset": values["dataset"]})  # which may hold its rows
    return document.filled({"preset": preset.brief(), **filled}, {"preprocessing": Preprocessing.main or ""})


def is_filled_in(document: Document) -> bool:
    """Return whether a preset fills in what a config leaves out."""
    given = document.data
    return not (("layers" in given and given.get("preset") is None) or all(key in given for key in Config.model_fields))


def facts_of(document: Document) -> TableFacts | None:
    """Return the facts about the table of a config that its preset uses; None without a preset."""
    return _summarize(Config.outline(document)) if is_filled_in(document) else None


def _summarize(values: Mapping[str, Any]) -> TableFacts:
    """Summarize the data, or the first rows of a large file, for a preset."""
    dataset, loss = values["dataset"], values.get("loss")
    skips = values.get("on_error") == "skip"
    with ignored_warnings(NnfsWarning):  # training reads the same rows and warns about them
        table, n_rows = read_some(dataset, skips) if isinstance(dataset, ColumnSource) else _all(dataset.read())
    if skips or values.get("missing_target") == "drop":
        whole, table = table, LeftOut(dict.fromkeys(dataset.target_columns(), TARGET), faults=False).kept(table)
        n_rows = round(n_rows * table.n_rows / whole.n_rows)
    split, targets = values.get("split") or Split(), dataset.target_columns()
    left_out = {
        *targets,
        *dataset.dropped_columns(),
        *split.columns,
        dataset.weight_column(),
        dataset.exposure_column(),
    }
    inputs = {name: table.kind(name) for name in table.columns if name not in left_out}
    numbers = {name: _numbers(table.column(name)) for name, kind in inputs.items() if kind == "number"}
    numbers = {name: found for name, found in numbers.items() if len(found[0]) > 2}
    n_classes = 0
    if loss is not None:
        n_classes = (
            _count_different(table.texts(targets[0])) if loss.task == "classification" and len(targets) == 1 else 0
        )
    elif len(targets) > 1 and all(table.has(name) and _count_different(table.texts(name)) == 2 for name in targets):
        n_classes = 2
    elif len(targets) == 1 and table.has(targets[0]):
        n_classes = task_of(table, targets[0], profile_column(table, targets[0])).n_classes
    return TableFacts(
        max(1, round(n_rows * _training_fraction(split, table))),
        len(targets),
        n_classes,
        len(numbers),
        {name: _count_different(table.texts(name)) for name, kind in inputs.items() if kind == "category"},
        tuple(name for name, (values, counts) in numbers.items() if values[0] >= 0 and 2 * counts.max() > counts.sum()),
        _heavy_tailed(values, table, numbers),
        _most_folds(split.without_default_validation(), table, values.get("seed", 0))
        if table.n_rows == n_rows
        else None,
    )


def _heavy_tailed(
    config: Mapping[str, Any], table: Table, numbers: Mapping[str, tuple[Array, Array]]
) -> dict[str, bool]:
    """Return the inputs with heavy tails, and whether the targets, if they are numbers, follow these tails."""
    heavy = [name for name, found in numbers.items() if is_heavy_tailed(*found)]
    targets = [name for name in config["dataset"].target_columns() if heavy and table.has(name)]
    if not targets or any(table.kind(name) != "number" for name in targets):
        return dict.fromkeys(heavy, False)
    y = np.stack([table.numbers(name, gaps=True) for name in targets], axis=1)
    steps = (config.get("preprocessing") or Preprocessing()).target or ()
    learned = {step.name for step in steps}
    y = np.log1p(np.abs(y)) if Log1p.name in learned else y
    y = y.argsort(axis=0).argsort(axis=0).astype(np.float64) if Quantile.name in learned else y
    X = {name: table.numbers(name, gaps=True) for name in heavy}
    known = {name: np.isfinite(x) & np.isfinite(y).all(axis=1) for name, x in X.items()}
    return {name: follows_tail(x[known[name]], y[known[name]]) for name, x in X.items()}


def _most_folds(split: Split, table: Table, seed: int) -> int | None:
    """Return how many folds the groups of the training rows allow; None without groups."""
    if split.group is None or not table.has(split.group):
        return None
    return _count_different(table.texts(split.group)[split.divide(table, None, seed)["train"]])


def _all(table: Table) -> tuple[Table, int]:
    return table, table.n_rows


def _training_fraction(split: Split, table: Table) -> float:
    """Return the approximate fraction of training rows."""
    if split.column is not None and table.has(split.column):
        texts = table.texts(split.column)
        return float((texts.look_up({"train": 0}, 1) == 0).mean())
    return 1 - sum(split.without_default_validation().fractions.values())


def _count_different(texts: Texts) -> int:
    return len(np.unique(texts.codes[~texts.gaps]))


def _numbers(column: Any) -> tuple[Array, Array]:
    """Return the different numbers of a column in ascending order, and the count of each."""
    values: Array = np.asarray(column)
    different: tuple[Array, Array] = np.unique(values[~gaps_of(values)], return_counts=True)
    return different
