"""Deal the training rows into folds, one for each member of an ensemble that is scored out of fold."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.folds import FORWARD_SHARE, Folds, deal_forward, deal_rows
from nnfs_cli.data.table import Table
from nnfs_cli.errors import Fault
from nnfs_cli.system.wording import counted


def deal_training_rows(config: Config, table: Table, rows: Array, classes: Array | None = None) -> Folds:
    """Return the folds of the training `rows` (indices) of a table, whose class indices (rows,) are `classes`.

    Raises `ConfigError` or `DataError` if there are too few rows, groups or instants.
    """
    if len(rows) < config.members:
        few = f"{counted(len(rows), 'training row')} cannot be divided into {config.members} folds, one per member"
        raise config.error([Fault(("members",), few)])
    if config.forward:
        return deal_forward(table, rows, config.split, config.members, round(FORWARD_SHARE * len(rows)))
    return deal_rows(table, rows, config.split.group, classes, config.members, config.seed)


def rows_of_all(config: Config, table: Table, rows: Array) -> Array:
    """Return the training rows (indices) that statistics may use: those before all forward folds, else all of them."""
    return rows[deal_training_rows(config, table, rows).of_all] if config.forward else rows
