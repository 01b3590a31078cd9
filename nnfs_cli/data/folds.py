"""Deal rows into folds, so that each of several nets can leave one fold out of its training."""

from __future__ import annotations

import heapq

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.wording import counted, named


def deal_rows(table: Table, rows: Array, group: str | None, classes: Array | None, n_folds: int, seed: int) -> Array:
    """Return the fold of each of some `rows` (indices) of a table, (rows,), from 0 on.

    With `group`, the name of a column, rows of one group share a fold. Otherwise each class, if `classes` (rows,) gives
    the class of each row, is spread evenly over the folds. Raises `DataError` when there are fewer groups than folds.
    """
    if group is not None:
        return deal_groups(table, rows, group, n_folds, seed)
    return deal(len(rows), n_folds, seed, classes)


def deal(n_rows: int, n_folds: int, seed: int, classes: Array | None = None) -> Array:
    """Return a random fold for each row, (rows,), from 0 on; folds, and classes within folds, are of equal size."""
    order = random_stream(seed, "holdout").permutation(n_rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(n_rows, np.intp)
    folds[order] = np.arange(n_rows) % n_folds
    return folds


def deal_groups(table: Table, rows: Array, name: str, n_folds: int, seed: int) -> Array:
    """Return a fold for each of some `rows` of a table, (rows,); rows with one value in the column share a fold.

    Groups are dealt from the largest to the smallest, each to the smallest fold. Raises `DataError` when there are
    fewer groups than folds.
    """
    groups = np.unique(table.texts(name)[rows].codes, return_inverse=True)[1]
    sizes = np.bincount(groups)
    if len(sizes) < n_folds:
        found = f"has {counted(len(sizes), 'group')} in the training rows, but {n_folds} folds need one each"
        raise DataError(f"{table.name}: column {named(name)} {found}; set members (or --folds) to {len(sizes)} or less")
    order = random_stream(seed, "holdout").permutation(len(sizes))
    by_size = [(0, fold) for fold in range(n_folds)]  # a heap
    folds = np.empty(len(sizes), np.intp)
    for group in order[np.argsort(-sizes[order], kind="stable")].tolist():
        size, fold = heapq.heappop(by_size)
        folds[group] = fold
        heapq.heappush(by_size, (size + int(sizes[group]), fold))
    return folds[groups]
