"""The config that trains the net of another one in folds, so that every row is predicted without having been seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.errors import ConfigError

FOLDS = 5  # members of an ensemble, if the config trains fewer


def in_folds(config: Config) -> Config:
    """Return a config whose members are each trained without one fold of the rows, which they predict.

    It is the config itself if it does so already for all rows. Otherwise rows are dealt into folds at random, or by
    group, whatever its split says about validation and time. Raises `ConfigError` if its net cannot be trained so.
    """
    if config.holdout is not None and not config.forward:
        return config
    split: dict[str, Any] = {"validation": 0}
    if config.split.group is not None:
        split["group"] = config.split.group
    values = {"split": split, "members": max(config.members, FOLDS), "holdout": "fold", "memory_limit": None}
    document = Document(config.name, Path.cwd(), data=dict(config)).replaced(values)
    try:
        return Config.read(document)
    except ConfigError as error:
        raise ConfigError(f"the net of this config cannot be trained in folds:\n{error}") from None
