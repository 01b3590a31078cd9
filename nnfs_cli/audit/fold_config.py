"""The config that trains the net of another one in folds, so that every row is predicted without having been seen."""

from __future__ import annotations

from pathlib import Path

from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.data.source import DataSource
from nnfs_cli.errors import ConfigError

FOLDS = 5  # members of an ensemble, if the config trains fewer


def in_folds(config: Config) -> Config:
    """Return a config whose members are each trained without one fold of the rows, which they predict.

    It is the config itself if it does so already for all rows. Otherwise rows are dealt into folds at random, or by
    group, whatever its split says about validation and time; only a file of test rows stays one.
    Raises `ConfigError` if its net cannot be trained so.
    """
    if config.holdout is not None and not config.forward:
        return config
    group = config.split.group
    split: dict[str, object] = {"validation": 0} | ({} if group is None else {"group": group})
    split |= {key: file for key, file in config.split.files.items() if key == "test"}
    values = {"split": split, "members": max(config.members, FOLDS), "holdout": "fold", "dataset": _dataset(config)}
    document = Document(config.name, Path.cwd(), data=dict(config)).replaced(values)
    try:
        return Config.read(document)
    except ConfigError as error:
        instead = "train it, and audit its run, which judges its held-out rows"
        raise ConfigError(f"{config.name} cannot be trained in folds; {instead}\n{error}") from None


def _dataset(config: Config) -> DataSource:
    """Return the data set without the column that divided the rows, which would become an input, if it was none."""
    given, way = config.preprocessing, config.split.column_by_key
    divides = {name for key, name in way.items() if key != "group" and name not in given.columns}
    if config.split.time is not None and given.steps(config.split.time, "date"):
        divides -= {config.split.time}
    dataset = config.dataset
    return dataset.model_copy(update={"drop": (*dataset.dropped_columns(), *divides)}) if divides else dataset
