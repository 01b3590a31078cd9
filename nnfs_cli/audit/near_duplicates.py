"""Find rows that are nearly the same as another row, closer than chance would bring them.

Around each row, other rows lie about as points of a Poisson process. So the volume up to the nearest row, as a share of
the volume up to the kth nearest, is below v with the probability 1 - (1 - v)^(k - 1). A volume is the distance to the
power of the dimension that the rows fill, which is estimated from the distances of their neighbours.
Source of the dimension: Levina and Bickel, "Maximum Likelihood Estimation of Intrinsic Dimension" (2004).
"""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.audited_rows import AuditedRows
from nnfs_cli.audit.coordinates import coordinates
from nnfs_cli.audit.finding import RowFinding
from nnfs_cli.audit.given_answers import GivenAnswers
from nnfs_cli.audit.neighbours import Neighbours, neighbours
from nnfs_cli.data.copies import row_hashes
from nnfs_cli.data.profile import numbers_or_days
from nnfs_cli.data.table import Kind
from nnfs_cli.display.text import ROWS_OF
from nnfs_cli.inspection.column_relations import cell_hashes
from nnfs_cli.system.wording import counted

CHANCE = 0.05  # probability that chance alone brings any two rows so close
FEWEST = 30  # rows, below which nothing is said
MANY_VALUES = 20  # different numbers, from which on a column can tell near from equal


def near_duplicates(rows: AuditedRows) -> RowFinding | None:
    """Return the rows that are nearly the same as another one, those with another answer first; None without any.

    Columns of few different values and categories must be equal.
    """
    encoder, table = rows.predictor.encoder, rows.table
    fine = {name: kind for name, kind in encoder.kinds.items() if kind != "category" and _is_fine(rows, name, kind)}
    if not fine or len(rows) < FEWEST:
        return None
    some = table.take(rows.compared)
    others = [cell_hashes(some.column(name)) for name in rows.inputs if name not in fine]
    equal = row_hashes(others) if others else np.zeros(some.n_rows, np.uint64)
    one, other, nearness = close_pairs(neighbours(coordinates(some, fine).values), equal)
    if not len(one):
        return None
    one, other = rows.compared[one], rows.compared[other]
    differ = GivenAnswers.of(rows).differ(one, other)
    elsewhere = rows.split[one] != rows.split[other]
    order = np.lexsort((-nearness, ~elsewhere, ~differ))
    one, other, nearness, differ, elsewhere = (each[order] for each in (one, other, nearness, differ, elsewhere))
    target = encoder.targets[0]
    given, likely = rows.texts(target, one), rows.texts(target, other)
    reasons = []
    for i, number in enumerate(rows.number[other].tolist()):
        but = f", but the answer is {given[i]} and not {likely[i]}" if differ[i] else ""
        where = f", one of the {ROWS_OF[rows.split[other[i]]]}" if elsewhere[i] else ""
        reasons.append(f"nearly the same as row {number:,}{where}{but}")
    parts = [f"{counted(int(differ.sum()), 'pair')} with different answers"] if differ.any() else []
    parts += [f"{counted(int(elsewhere.sum()), 'pair')} in different splits"] if elsewhere.any() else []
    return RowFinding(
        "near_duplicates",
        f"{counted(len(one), 'pair')} of rows {'is' if len(one) == 1 else 'are'} nearly the same, closer than chance"
        f" would bring them{': ' if parts else ''}{', '.join(parts)}",
        "they may be one case, entered or measured twice; where answers differ, one of them is probably wrong",
        "keep one of each pair, or name the column of the case that both belong to: split: group",
        one,
        nearness,
        reasons,
        given,
        likely,
        [f"nearly equal to row {number:,}" for number in rows.number[other].tolist()],
    )


def _is_fine(rows: AuditedRows, name: str, kind: Kind) -> bool:
    """Return whether a column has so many different numbers that two rows rarely share one by chance."""
    values = numbers_or_days(rows.table, name, kind)
    return len(np.unique(values[~np.isnan(values)])) > MANY_VALUES


def close_pairs(near: Neighbours, equal: Array) -> tuple[Array, Array, Array]:
    """Return the pairs of rows (later, earlier) that are closer than chance, and how clearly: -log10 of its p-value.

    Both rows of a pair must have the same value in `equal` (rows,). Rows at the same place are equal, not nearly so.
    """
    distance, k = near.distance, near.distance.shape[1]
    one, other, nearness = [np.empty(0, np.intp)], [np.empty(0, np.intp)], [np.empty(0)]
    if len(distance) < FEWEST or k < 3:
        return one[0], other[0], nearness[0]
    dimension = dimension_of(distance)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(distance[:, -1:] > 0, distance / distance[:, -1:], 1.0) ** dimension
    first = (distance == 0).sum(axis=1)  # the place of the nearest row that is not equal
    inside = np.flatnonzero(first < k - 1)
    j = first[inside]
    p = -np.expm1((k - 1 - j) * np.log1p(-np.minimum(share[inside, j], 1 - 1e-12)))
    partner = near.place[inside, j]
    chosen = (len(distance) * p < CHANCE) & (equal[inside] == equal[partner])
    pairs = np.sort(np.stack([inside[chosen], partner[chosen]], axis=1), axis=1)
    pairs, at = np.unique(pairs, axis=0, return_index=True)
    with np.errstate(divide="ignore"):
        return pairs[:, 1], pairs[:, 0], -np.log10(np.maximum(p[chosen][at], 1e-300))


def dimension_of(distance: Array) -> float:
    """Return the dimension that rows fill, from the distances of their neighbours (rows, k), the nearest first.

    The logarithms of distances, as shares of the farthest, are exponential with this rate. The nearest neighbour does
    not count, since it may be a near duplicate; the expected sum of the others is that of all without their maximum.

    >>> points = np.random.default_rng(0).random((1000, 2))
    >>> away = np.sort(np.hypot(*(points[:, None] - points).T), axis=0)[1:11].T
    >>> round(dimension_of(away), 1)
    1.9
    """
    k = distance.shape[1]
    kept = distance[distance[:, 1] > 0]
    total = float(np.log(kept[:, -1:] / kept[:, 1:-1]).sum())
    expected = k - 1 - (1 / np.arange(1, k)).sum()  # of one row, in a single dimension
    return float(len(kept) * expected) / total if total > 0 else math.inf
