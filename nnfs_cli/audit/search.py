"""The search for groups of rows whose errors are larger than in any copy in which no group is worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.exchange import Exchange
from nnfs_cli.data.division import Division, everything

FEWEST, SHARE = 30, 0.01  # rows of a group, and share of all rows, at least
LARGEST = 0.5  # share of all rows, at most; of a larger group, the others are the group that differs
LEVEL = 0.02  # share of the tables without such a group in which one is found, at most
TOLD = 5  # groups, at most
MOST = 500  # groups among which those that are told are chosen
SIMPLER = 1.0  # standard errors by which a condition on two columns has to be clearer than one on a single column
APART = 0.5  # share of the rows of a group that earlier ones may hold
AT_ONCE = 24  # divisions that are combined with another one at a time
NEAR = 2.0  # standard errors below which nothing is found


class Group(NamedTuple):
    """A group of rows: for which the conditions of divisions hold, and how clearly it differs from other rows.

    `scores` are those of each kind of error, in standard errors.
    """

    parts: tuple[tuple[Division, int], ...]
    scores: Array
    deviations: Array  # of the sums of each kind of error, over the copies
    skews: Array

    @property
    def rows(self) -> Array:
        """A mask (rows,) of the rows."""
        found = self.parts[0][0].rows(self.parts[0][1])
        for division, condition in self.parts[1:]:
            found = found & division.rows(condition)
        return found


@dataclass(frozen=True)
class Found:
    """The groups that were found, the clearest first; `chance` (copies,) are the highest scores in each copy."""

    groups: list[Group]
    chance: Array
    looked_at: int

    def p_value(self, score: float) -> float:
        """Return how often some group has such a score if none is worse than others."""
        return float((1 + np.count_nonzero(self.chance >= score)) / (1 + len(self.chance)))


def search(
    errors: Sequence[Array],
    two_sided: Sequence[bool],
    weight: Array,
    exchange: Exchange,
    divisions: Sequence[Division],
    paired: Sequence[Division],
) -> Found:
    """Return the groups by a condition on one column, or on two of the `paired` ones, that are worse by some error.

    Each of the `errors` (rows,) has a mean of 0 in each stratum, and counts by `weight` (rows,). The score of a group
    is the weighted sum of its errors over the deviation of this sum in the copies, as a normal number even if errors
    are skewed. A group is found if its score is higher than the highest score of all groups in all but 2 % of the
    copies. So one is found in 2 % of the tables without a worse group, however many groups are looked at, and however
    they overlap (Westfall and Young, 1993).
    """
    table = _Sums(errors, two_sided, weight, exchange)
    chance, groups, looked_at = np.zeros(table.n_copies), list[Group](), 0
    for first, second, sums in table.of_pairs(divisions, paired):
        places, scores, deviations, skews = table.scores(sums)
        if not len(places):
            continue
        looked_at += len(places)
        chance = np.maximum(chance, scores.max(axis=(0, 1)))
        for i in np.flatnonzero(scores[:, :, 0].max(axis=1) > NEAR).tolist():
            conditions = divmod(int(places[i]), len(second.holds))
            parts = tuple(p for p in zip((first, second), conditions, strict=True) if p[0].column)
            groups.append(Group(parts, scores[i, :, 0], deviations[i], skews[i]))
    found = Found([], chance[1:], looked_at)
    clear = [group for group in groups if found.p_value(float(group.scores.max())) <= LEVEL]
    clear.sort(key=lambda group: -group.scores.max())
    return Found(_told(clear[:MOST], table, found, exchange), chance[1:], looked_at)


class _Sums:
    """The sums of errors over groups of rows, in every copy."""

    def __init__(self, errors: Sequence[Array], two_sided: Sequence[bool], weight: Array, exchange: Exchange) -> None:
        self.errors, self.two_sided, self.weight = [*errors], [*two_sided], weight
        moments = [exchange.moments(error) for error in errors]
        by_row = [np.ones(len(weight)), weight, weight**2]
        by_row += [
            weight**power * moment for of_error in moments for power, moment in zip((2, 3), of_error, strict=True)
        ]
        copies = [exchange.copies(error) * weight[:, None].astype(np.float32) for error in errors]
        self.n_copies = copies[0].shape[1]
        self._fixed = len(by_row)
        self._columns = np.concatenate([np.stack(by_row, axis=1).astype(np.float32), *copies], axis=1)
        self._fewest = max(FEWEST, SHARE * len(weight))

    def of_pairs(
        self, divisions: Sequence[Division], paired: Sequence[Division]
    ) -> Iterator[tuple[Division, Division, Array]]:
        """Yield pairs of divisions with the sums over the groups of all pairs of conditions, (groups, sums).

        First of each pair comes the division of all rows into one, with each division; then pairs of the `paired` ones.
        """
        whole = everything(len(self.weight))
        for at in range(0, len(divisions), AT_ONCE):
            yield from self._of_first(whole, divisions[at : at + AT_ONCE])
        for i, first in enumerate(paired):
            yield from self._of_first(first, [other for other in paired[i + 1 :] if other.column != first.column])

    def _of_first(self, first: Division, others: Sequence[Division]) -> Iterator[tuple[Division, Division, Array]]:
        if not others:
            return
        one_hot = np.concatenate([other.one_hot for other in others], axis=1)
        in_bins = [np.flatnonzero(first.bins == i) for i in range(first.holds.shape[1])]
        cells = np.stack([one_hot[rows].T @ self._columns[rows] for rows in in_bins])
        of_first = np.tensordot(first.holds.astype(np.float32), cells, 1)
        start = 0
        for other in others:
            bins = slice(start, start + other.holds.shape[1])
            sums = np.matmul(other.holds.astype(np.float32), of_first[:, bins])
            yield first, other, sums.reshape(-1, sums.shape[2])
            start = bins.stop

    def scores(self, sums: Array) -> tuple[Array, Array, Array, Array]:
        """Return the places of groups with enough rows, and their scores (groups, errors, copies).

        Last come the deviation of their sum and its skew, (groups, errors) each.
        """
        fixed = sums[:, : self._fixed].astype(np.float64)
        effective = fixed[:, 1] ** 2 / np.maximum(fixed[:, 2], 1e-300)
        places = np.flatnonzero((effective >= self._fewest) & (fixed[:, 0] <= LARGEST * len(self.weight)))
        fixed, sums = fixed[places], sums[places, self._fixed :].reshape(len(places), len(self.errors), self.n_copies)
        variance, third = fixed[:, 3::2], fixed[:, 4::2]
        squares, alone = np.square(sums), variance * (1 - fixed[:, :1] / len(self.weight))
        others = (squares.sum(axis=2, keepdims=True) - squares) / (self.n_copies - 1)
        np.maximum(others, alone[:, :, None] + 1e-30, out=others)  # the copies of few rows may all be alike
        scores = sums / np.sqrt(others)
        skews = third / np.maximum(variance, 1e-300) ** 1.5
        for i, two_sided in enumerate(self.two_sided):
            _to_normal(scores[:, i], skews[:, i], two_sided)
        return places, scores, np.sqrt(others[:, :, 0]).astype(np.float64), skews


def _to_normal(scores: Array, skews: Array, two_sided: bool) -> None:
    """Turn sums in standard errors (groups, copies), skewed by `skews` (groups,), into normal scores, in place.

    Those below `NEAR` become 0; of two sides, the score is that of the side.
    Source: Wilson and Hilferty, "The distribution of chi-square" (1931).
    """
    sizes = np.abs(scores) if two_sided else scores
    far = np.nonzero(sizes > NEAR)
    found = scores[far].astype(np.float64)
    skew = np.where(np.abs(skews) < 1e-3, 1e-3, skews)[far[0]]
    scores[...] = 0
    scores[far] = np.abs(normal_score(found, skew))


def normal_score(sums: Array, skew: Array | float) -> Array:
    """Return the normal number that is as rare as sums in standard errors, of a gamma distribution with this skew."""
    return np.asarray(6 / skew * (np.cbrt(1 + sums * skew / 2) - 1) + skew / 6)


def _told(clear: list[Group], table: _Sums, found: Found, exchange: Exchange) -> list[Group]:
    """Return few groups that do not hold the same rows, each for errors that those before do not explain.

    After a group is chosen, what its rows have in excess is taken off, and the others are scored again. A group by two
    columns gives way to one by a single column that is nearly as clear.
    """
    if not clear:
        return []
    members, told = np.array([group.rows for group in clear]), list[Group]()
    errors, weight = np.array(table.errors), table.weight
    taken = np.zeros(len(weight), bool)
    for _ in range(TOLD):
        scores = _scores(clear, members, errors * weight, table.two_sided)
        apart = (members & taken).sum(axis=1) <= APART * members.sum(axis=1)
        best_of = np.where(apart, scores.max(axis=1), 0)
        best = int(np.argmax(best_of))
        if found.p_value(float(best_of[best])) > LEVEL:
            break
        columns = {division.column for division, _ in clear[best].parts}
        if len(columns) > 1:
            simpler = [best_of[i] if _single(group, columns) else 0.0 for i, group in enumerate(clear)]
            if max(simpler) >= best_of[best] - SIMPLER and found.p_value(max(simpler)) <= LEVEL:
                best = int(np.argmax(simpler))
        told.append(clear[best]._replace(scores=scores[best]))
        rows = members[best]
        taken |= rows
        for i, error in enumerate(errors):
            excess = np.average(error[rows], weights=weight[rows]) - np.average(error[~rows], weights=weight[~rows])
            errors[i] = exchange.strata.centred(error - excess * rows)
    return told


def _single(group: Group, columns: set[str]) -> bool:
    """Return whether a group is given by a condition on a single one of some columns."""
    return len(group.parts) == 1 and group.parts[0][0].column in columns


def _scores(clear: list[Group], members: Array, errors: Array, two_sided: list[bool]) -> Array:
    """Return the scores of groups (groups, kinds) for weighted errors (kinds, rows)."""
    sums = np.stack([members @ error for error in errors], axis=1)
    scores: Array = sums / np.array([group.deviations for group in clear])
    for i, both in enumerate(two_sided):
        _to_normal(scores[:, i : i + 1], np.array([group.skews[i] for group in clear]), both)
    return scores
