"""Confidence intervals of figures: how much they would differ on other rows of the same kind."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.metrics.base import MeanMetric
from nnfs_cli.metrics.resamples import Resamples
from nnfs_cli.metrics.student_t import t_quantile
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.system.random import random_stream
from nnfs_cli.workflows.verdicts.interval import Difference

LEVEL = 0.95
Interval = tuple[float, float]


def intervals(metrics: Iterable[Metric], rows: PredictedRows, seed: int) -> dict[str, Interval | None]:
    """Return the 95 % confidence interval of every figure of the metrics by its name; None where there is none.

    An interval says how far chance moved the figure through the choice of the rows; the net stays the same. The bounds
    are percentiles of a Bayesian bootstrap, of groups or blocks in time where rows depend on each other. BCa bounds
    would need a jackknife, and are unstable for few units and for figures near the end of their range. Percentiles are
    too narrow for few units, or few of much weight; so they are moved outwards as far as those of Student's t lie
    outside those of the normal distribution, for the effective number of units. There is no interval for an undefined
    figure, for one that is the same in all resamples, and for a calibration error.
    Source: Hesterberg, "What Teachers Should Know About the Bootstrap" (2015), for the percentiles.
    """
    rows, found = rows.with_weight, dict[str, Interval | None]()
    classes = rows.classes or tuple(map(str, range(rows.y_hat.shape[1])))
    resamples = None
    if rows.usable:
        resamples = Resamples(random_stream(seed, "bootstrap"), len(rows.y), rows.weight, rows.group)
    for metric in metrics:
        columns = metric.columns(classes)
        bounds = [] if resamples is None else _bounds(metric, rows, resamples)
        found |= dict(zip(columns, bounds or [None] * len(columns), strict=True))
    return found


def paired_differences(
    metrics: Iterable[Metric], first: PredictedRows, other: PredictedRows, seed: int
) -> dict[str, Difference]:
    """Return how much greater the figures of `other` predictions are than those of the first, with 95 % intervals.

    Both are for the same rows, with the same weights and groups, so both are measured on the same resamples: what is
    hard for both nets cancels out. The interval is that of `intervals`; a figure without one is left out.
    """
    first, other, found = first.with_weight, other.with_weight, dict[str, Difference]()
    if not (first.usable and other.usable):
        return found
    resamples = Resamples(random_stream(seed, "bootstrap"), len(first.y), first.weight, first.group)
    if not resamples.n_units >= 2:
        return found
    for metric in metrics:
        drawn = _drawn_differences(metric, first, other, resamples)
        bounds = _percentiles(drawn, resamples.n_units) if len(drawn) else []
        before, after = metric.figures(first), metric.figures(other)
        for name, (low, high) in zip(before, bounds, strict=False):
            if math.isfinite(low + high):
                found[name] = Difference(after[name] - before[name], low, high)
    return found


def _drawn_differences(metric: Metric, first: PredictedRows, other: PredictedRows, resamples: Resamples) -> Array:
    """Return how much greater the figures of `other` are in every resample, (resamples, figures).

    The difference between two shares comes from the rows on which the nets disagree. There may be none among few rows,
    although there would be some among others, so some are imagined.
    """
    if isinstance(metric, MeanMetric) and metric.share and not metric.is_own():
        gains = metric.row_values(other).astype(np.float64) - metric.row_values(first)
        return resamples.means(gains, share=True, least=-1.0)[:, None]
    one, two = (_drawn(metric, rows, resamples) for rows in (first, other))
    return two - one


def _drawn(metric: Metric, rows: PredictedRows, resamples: Resamples) -> Array:
    """Return the figures of a metric in every resample, (resamples, figures)."""
    with ignored_warnings(), np.errstate(all="ignore"):  # an undefined figure has bounds that are not numbers
        # A class of the user's may measure something else than the built-in metric from which it inherits.
        return (Metric.resampled if metric.is_own() else type(metric).resampled)(metric, rows, resamples)


def _percentiles(drawn: Array, n_units: float) -> list[Interval]:
    """Return the bounds of each figure, given its values in every resample, (resamples, figures)."""
    tail = _tail(n_units)
    with np.errstate(all="ignore"):
        return [(low, high) for low, high in np.quantile(drawn, [tail, 1 - tail], axis=0).T.tolist()]


def _bounds(metric: Metric, rows: PredictedRows, resamples: Resamples) -> list[Interval | None]:
    if not resamples.n_units >= 2:  # or unknown, since weights are huge
        return []
    drawn = _drawn(metric, rows, resamples)
    if not len(drawn):
        return []
    bounds = np.array(_percentiles(drawn, resamples.n_units))
    with np.errstate(all="ignore"):
        differ = bounds[:, 1] - bounds[:, 0] > 1e-12 * np.abs(bounds).max(axis=1)  # rounding alone makes no interval
    return [(low, high) if some else None for (low, high), some in zip(bounds.tolist(), differ, strict=True)]


def _tail(n_units: float) -> float:
    """Return the probability below a percentile interval for this many units: 0.025, and less if they are few."""
    reach = t_quantile((1 + LEVEL) / 2, n_units - 1) * math.sqrt(n_units / (n_units - 1))
    return math.erfc(reach / math.sqrt(2)) / 2
