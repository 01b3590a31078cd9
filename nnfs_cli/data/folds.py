"""Deal rows into folds, so that each of several nets is scored on rows that it was not trained on."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.gap import gap_between, instants, long_before
from nnfs_cli.data.split import Split
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.wording import counted, named


@dataclass(frozen=True)
class Folds:
    """The fold of each of some rows, and the rows that train without each fold.

    `fold` (rows,) counts from 0; it is -1 for a row of no fold. `trains` (rows, nets) says whether a row is among the
    training rows of a net. The first nets are scored on a fold each; there may be more nets than folds.
    """

    fold: Array
    trains: Array
    forward: bool = False  # whether every net trains on earlier rows than those of its fold

    @classmethod
    def of(cls, fold: Array, n_folds: int) -> Self:
        """Return folds that all train each other's nets."""
        return cls(fold, fold[:, None] != np.arange(n_folds))

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return int(self.fold.max(initial=-1)) + 1

    @property
    def of_all(self) -> Array:
        """Which rows (rows,) train every net."""
        return np.asarray(self.trains.all(axis=1))


def deal_rows(table: Table, rows: Array, group: str | None, classes: Array | None, n_folds: int, seed: int) -> Folds:
    """Deal some `rows` (indices) of a table into folds at random.

    With `group`, the name of a column, rows of one group share a fold. Otherwise each class, if `classes` (rows,) gives
    the class of each row, is spread evenly over the folds. Raises `DataError` when there are fewer groups than folds.
    """
    if group is not None:
        return Folds.of(deal_groups(table, rows, group, n_folds, seed), n_folds)
    return Folds.of(deal(len(rows), n_folds, seed, classes), n_folds)


def deal_forward(table: Table, rows: Array, split: Split, n_folds: int, n_in_folds: int) -> Folds:
    """Deal the latest `n_in_folds` of some `rows` (indices) of a table into folds, each of consecutive instants.

    The net of a fold trains on all rows before the fold, by the gap of the split or more. Rows of one instant share a
    fold, the later one. Folds are of equal size as far as instants allow it.
    Raises `DataError` when there are too few instants, or when the gap leaves no row before the first fold.
    Sources: Tashman, "Out-of-sample tests of forecasting accuracy" (2000), for the rolling origin; López de Prado,
    "Advances in Financial Machine Learning" (2018), section 7.4.1, for the gap.
    """
    name = str(split.time)
    times, gap = instants(table, name)[rows], gap_between(table, name, split.gap)
    different, counts = np.unique(times, return_counts=True)
    where, dealt = f"{table.name}: column {named(name)}", counted(n_folds, "fold")
    if len(different) <= n_folds:
        found = f"has {counted(len(different), 'different value')} in the training rows, too few for {dealt}"
        raise DataError(f"{where} {found} with earlier rows")
    first = len(times) - n_in_folds + n_in_folds * np.arange(n_folds) // n_folds  # of equal size, if instants differ
    at = np.searchsorted(np.cumsum(counts), first, side="right")  # the instants at which folds start
    step = np.arange(n_folds)
    at = np.minimum.accumulate((np.minimum(at, len(different) - n_folds + step) - step)[::-1])[::-1] + step
    at = np.maximum(at, 1 + step)
    starts = different[at]
    fold = np.searchsorted(starts, times, side="right") - 1
    trains = np.stack([long_before(times, start, gap) for start in starts], axis=1)
    if not trains[:, 0].any():
        raise DataError(f"{where} has no row before the first of {dealt} by the gap of the split; make it shorter")
    return Folds(fold, trains, forward=True)


def instants_in_latest(times: Array, share: float) -> int:
    """Return how many instants the latest share of some rows has, from their instants (rows,): one or more."""
    counts = np.unique(times, return_counts=True)[1]
    return int((np.cumsum(counts) > (1 - share) * len(times)).sum())


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
