"""Deal the training rows into folds, one for each member of an ensemble that is scored out of fold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.folds import Folds, deal_forward, deal_rows, instants_in_latest
from nnfs_cli.data.gap import instants
from nnfs_cli.data.table import Table
from nnfs_cli.errors import Fault
from nnfs_cli.system.wording import counted

SHARE = 0.25  # of the training rows, the latest, that lie in forward folds


def deal_training_rows(config: Config, table: Table, rows: Array, classes: Array | None = None) -> Folds:
    """Return the folds of the training `rows` (indices) of a table, whose class indices (rows,) are `classes`.

    There is a fold for each member. If the split is by time, folds go forward, and only a quarter of the members have
    one: they train on the rows before their fold, and the others on all rows. So most members know the latest rows.
    Raises `ConfigError` or `DataError` if there are too few rows, groups or instants.
    """
    if config.forward:
        n_folds = min(
            math.ceil(config.members / 4), instants_in_latest(instants(table, str(config.split.time))[rows], SHARE)
        )
        folds = deal_forward(table, rows, config.split, n_folds, round(SHARE * len(rows)))
        others = np.ones((len(rows), config.members - n_folds), bool)
        return replace(folds, trains=np.concatenate([folds.trains, others], axis=1))
    if len(rows) < config.members:
        few = f"{counted(len(rows), 'training row')} cannot be divided into {config.members} folds, one per member"
        raise config.error([Fault(("members",), few)])
    return deal_rows(table, rows, config.split.group, classes, config.members, config.seed)


def rows_of_all(config: Config, table: Table, rows: Array) -> Array:
    """Return the training rows (indices) that statistics may use: those before all forward folds, else all of them."""
    return rows[deal_training_rows(config, table, rows).of_all] if config.forward else rows
