"""Training rows dealt into folds, so that each of several nets can be kept from one of them."""

from __future__ import annotations

import heapq

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.wording import counted, named


def deal_rows(table: Table, rows: Array, group: str | None, classes: Array | None, n_folds: int, seed: int) -> Array:
    """The fold of each of some `rows` of a table, (rows,): by whole groups where a column names them, else by class.

    `classes` (rows,) are theirs, if there are any. Raises `DataError` when there are fewer groups than folds.
    """
    if group is not None:
        return deal_groups(table, rows, group, n_folds, seed)
    return deal(len(rows), n_folds, seed, classes)


def deal(n_rows: int, n_folds: int, seed: int, classes: Array | None = None) -> Array:
    """The fold of each row, (rows,), from 0 on: dealt at random, and the rows of each class (rows,) as evenly."""
    order = random_stream(seed, "holdout").permutation(n_rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(n_rows, np.intp)
    folds[order] = np.arange(n_rows) % n_folds
    return folds


def deal_groups(table: Table, rows: Array, name: str, n_folds: int, seed: int) -> Array:
    """The same for `rows` of a table, with those of one value of a column in one fold: large ones first.

    Raises `DataError` when there are fewer values than folds.
    """
    groups = np.unique(table.texts(name)[rows].codes, return_inverse=True)[1]
    sizes = np.bincount(groups)
    if len(sizes) < n_folds:
        found = f"has {counted(len(sizes), 'group')} to train, and {n_folds} members are each kept from some"
        raise DataError(f"{table.name}: column {named(name)} {found}; members: {len(sizes)} or fewer would do")
    order = random_stream(seed, "holdout").permutation(len(sizes))
    room = [(0, fold) for fold in range(n_folds)]
    folds = np.empty(len(sizes), np.intp)
    for group in order[np.argsort(-sizes[order], kind="stable")].tolist():
        taken, fold = heapq.heappop(room)
        folds[group] = fold
        heapq.heappush(room, (taken + int(sizes[group]), fold))
    return folds[groups]
