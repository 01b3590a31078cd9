"""Read a config that is given in Python: a file, a dict of settings or a `Config`, with a table for its data set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from nnfs_cli.api.settings import plain
from nnfs_cli.api.tables import TableOrPath
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.errors import ConfigError
from nnfs_cli.inspection.load_config import complete
from nnfs_cli.system.wording import type_of

Settings: TypeAlias = str | os.PathLike[str] | Mapping[str, Any] | Config
"""A config: the path of a YAML file, a dict of its keys, or a `Config`."""


def config_from(config: Settings, data: TableOrPath | None = None, changes: Mapping[str, Any] | None = None) -> Config:
    """Return the complete config, in which `changes` are values of other keys, and `data` the rows of the data set.

    The target, drop and weight of the config's data set stay; its file need not exist if there are `data`.
    Raises `ConfigError` with every fault, and `DataError` if the data cannot be used.
    """
    if isinstance(config, Config) and data is None and not changes:
        return config
    return complete(document_from(config, data, changes))


def document_from(
    config: Settings, data: TableOrPath | None = None, changes: Mapping[str, Any] | None = None
) -> Document:
    """Return a config as it was given, before a preset fills anything in; see `config_from`."""
    document = _document(config)
    if changes:
        document = document.replaced({key: plain(value, key) for key, value in changes.items()})
    if data is not None:
        if "dataset" not in document.data:
            raise ConfigError("dataset: the key is missing; it names the target, as in dataset={'table': 'price'}")
        like = Config.outline(document, files_must_exist=False)["dataset"]
        document = document.replaced({"dataset": rows_for(data, like)})
    return document


def _document(config: Settings) -> Document:
    if isinstance(config, Config):
        return Document(config.name, Path.cwd(), data=dict(config))
    if isinstance(config, Mapping):
        return Document("run", Path.cwd(), data={str(key): plain(value, str(key)) for key, value in config.items()})
    if isinstance(config, str | os.PathLike):
        return Document.load(Path(config))
    raise ConfigError(f"a config is the path of a file, a dict of settings or a Config, found {type_of(config)}")
