"""The verdict on test rows that are predicted worse than validation rows, by more than chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.wording import rounded
from nnfs_cli.workflows.verdicts.interval import FEWEST, Mean, excess, mean_of, t_quantile
from nnfs_cli.workflows.verdicts.losses import RowLosses
from nnfs_cli.workflows.verdicts.verdict import Verdict

LEAST = 0.1  # a difference below this share of the validation loss does not matter
ELSEWHERE = "if they differ by time, place or group, split by it"
LATER = "the net gets worse with time, so train it again with new rows"
CERTAIN = 2.576  # standard errors; chance exceeds them in 0.5 % of the cases
BLOCKS = 5  # blocks in time, or groups of a split in time, that are enough: the mean of a block is hardly skewed


def disagreement(losses: Mapping[str, RowLosses], in_time: bool = False) -> Iterator[Verdict]:
    """Yield that test rows are predicted worse than validation rows, if they clearly are.

    If the split is `in_time`, the test rows are the latest.

    Two tests look at the mean and at the ranks of the losses: a few rows with large losses hide a shift of the others
    from the first, and do not show in the second.
    """
    if not {"validation", "test"} <= losses.keys():
        return
    test, validation = losses["test"], losses["validation"]
    of_test, of_validation = (_mean(rows.net, rows, in_time) for rows in (test, validation))
    usual = of_validation.value
    if of_test.value <= (1 + LEAST) * usual:
        return
    by_mean = excess(of_test, of_validation, BLOCKS if in_time else 2 * FEWEST)
    certain = t_quantile(max(of_test.units + of_validation.units - 2, BLOCKS), CERTAIN)
    if max(by_mean, higher_ranks(test, validation, in_time)) > certain:
        yield Verdict(
            "worse_on_test",
            "warning",
            f"worse on test rows than on validation rows: loss {rounded(of_test.value)} instead of {rounded(usual)}",
            f"believe the test rows; {LATER if in_time else ELSEWHERE}",
        )


def higher_ranks(one: RowLosses, other: RowLosses, in_time: bool = False) -> float:
    """Return by how many standard errors the losses in `one` rank higher than those in `other`.

    The statistic is the probability that a row of `one` has the higher loss, which is 1/2 for rows of one kind.
    Source: Brunner and Munzel, "The Nonparametric Behrens-Fisher Problem" (2000).
    """
    higher = _mean(_placements(one.net, other), one, in_time)
    lower = _mean(_placements(other.net, one), other, in_time)
    if min(higher.units, lower.units) < (BLOCKS if in_time else FEWEST) or not higher.variance + lower.variance:
        return 0.0
    return (higher.value - lower.value) / 2 / math.sqrt(higher.variance + lower.variance)


def _mean(values: Array, rows: RowLosses, in_time: bool) -> Mean:
    """Return the mean of values (rows,), where each block in time, or each of the folds that follow it, varies.

    Forward folds are periods, as the test rows are. They are no sample of all folds that could have been drawn, so the
    variance needs no more than their own.
    """
    if not in_time or rows.member is None:
        return mean_of(values, *rows.units)
    of_blocks, of_folds = (mean_of(values, rows.weight, unit, None) for unit in (rows.group, rows.member))
    return of_blocks._replace(variance=max(of_blocks.variance, of_folds.variance))


def _placements(values: Array, rows: RowLosses) -> Array:
    """Return for each value the share of the rows, by weight, whose loss is lower, where an equal one counts half."""
    order = np.argsort(rows.net)
    among, weight = rows.net[order], np.ones(len(order)) if rows.weight is None else rows.weight[order]
    below = np.concatenate([[0], np.cumsum(weight, dtype=np.float64)])
    places = below[np.searchsorted(among, values, "left")] + below[np.searchsorted(among, values, "right")]
    return np.asarray(places / (2 * below[-1]))
