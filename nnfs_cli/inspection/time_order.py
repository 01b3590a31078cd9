"""Find out whether rows that follow each other in time are alike, so that a random split makes prediction too easy."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table, gaps_of
from nnfs_cli.system.random import random_stream

FEWEST = 100  # rows below which nothing is said
ALIKE = 0.5  # likeness from which on a split by time is proposed


def likeness_in_time(table: Table, dates: str, target: str, classes: bool) -> float:
    """Return how alike the targets of a row and of the next row in time are: 0 by chance, 1 if they are the same.

    `dates` names a column of dates. Rows of one date are in random order; rows without a date or a target are left out.
    For numbers the likeness is the correlation. For `classes` it is (same - chance) / (1 - chance), where `same` is the
    share of neighbours of one class, and `chance` the share that is expected in random order.
    It is 0 if there are fewer than 100 rows, or if the target is constant.
    """
    when = table.dates(dates)
    there = np.flatnonzero(~np.isnat(when) & ~gaps_of(table.column(target)))
    if len(there) < FEWEST:
        return 0.0
    there = random_stream(0, "time order").permutation(there)
    there = there[np.argsort(when[there], kind="stable")]
    return _of_classes(table.texts(target).codes[there]) if classes else _of_numbers(table.numbers(target)[there])


def _of_numbers(y: Array) -> float:
    centred = y - y.mean()
    total = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / total if total > 0 else 0.0


def _of_classes(codes: Array) -> float:
    chance = float(np.square(np.bincount(codes) / len(codes)).sum())
    return (float((codes[1:] == codes[:-1]).mean()) - chance) / (1 - chance) if chance < 1 else 0.0
