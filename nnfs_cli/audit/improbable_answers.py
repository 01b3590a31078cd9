"""Find answers that are numbers and improbable, from the errors of nets that have not seen their rows.

An error is measured as a multiple of the usual error of rows with similar predictions. Such multiples follow about a t
distribution, whose degrees of freedom are those that give the ratio of their upper quantiles: real errors have longer
tails than normal ones. Answers are improbable as long as at most 5 % of those listed would be expected among so many
rows by chance (Benjamini and Hochberg, "Controlling the False Discovery Rate", 1995).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics.student_t import t_quantile, t_tail

CHANCE = 0.05  # share of the rows found that chance alone would bring
WINDOW = 0.05  # of the rows, those with the most similar predictions, that tell how large errors are
FEWEST = 30  # rows in a window, and rows without which nothing is said
UPPER = 0.85  # quantile of the sizes of errors that is compared with their median; few rows above it are mistakes
LEAST_SCALE = 0.1  # of the median size of all errors
LIGHTEST = 200.0  # degrees of freedom, from which on a t distribution is as good as normal


class Improbable(NamedTuple):
    """The rows whose answer is improbable, the most improbable first: indices (found,) and their scores, -log10 p."""

    rows: Array
    score: Array


def improbable_answers(truth: Array, answer: Array) -> Improbable:
    """Return the rows whose answer (rows,) is improbable, given predictions (rows,) of nets that have not seen them."""
    error, n = scaled_errors(truth, answer), len(truth)
    if n < FEWEST or not np.isfinite(error).all():
        return Improbable(np.empty(0, np.intp), np.empty(0))
    p = np.ones(n)
    for side in (error > 0, error < 0):
        rows = np.flatnonzero(side)
        if len(rows) >= FEWEST // 2:
            p[rows] = _tail_probabilities(np.abs(error[rows]))
    order = np.argsort(p, kind="stable")
    within = np.flatnonzero(p[order] <= CHANCE * np.arange(1, n + 1) / n)
    found = int(within[-1]) + 1 if len(within) else 0
    return Improbable(order[:found], -np.log10(np.maximum(p[order[:found]], 1e-300)))


def _tail_probabilities(size: Array) -> Array:
    """Return how probable an error of each size (rows,), or a larger one, is; 1 if it is more than CHANCE."""
    freedom, unit = tail_of(size)
    p = np.ones(len(size))
    if unit > 0:
        large = np.flatnonzero(size > unit * t_quantile(1 - CHANCE / 2, freedom))
        p[large] = [2 * t_tail(one / unit, freedom) for one in size[large].tolist()]
    return p


def scaled_errors(truth: Array, answer: Array) -> Array:
    """Return each error, truth minus answer, (rows,), as a multiple of the median size for similar predictions."""
    error = truth - answer.astype(np.float64)
    n, size = len(error), np.abs(error)
    if n < FEWEST:
        return error
    order = np.argsort(answer, kind="stable")
    half = max(FEWEST, round(WINDOW * n)) // 2
    inner = size[order]
    starts = np.clip(np.arange(n) - half, 0, max(n - 2 * half - 1, 0))
    windows = np.lib.stride_tricks.sliding_window_view(inner, min(2 * half + 1, n))
    step = max(1, half // 4)  # the median of neighbouring windows is nearly the same
    at = np.unique(np.append(np.arange(0, len(windows), step), len(windows) - 1))
    medians = np.interp(starts, at, np.median(windows[at], axis=1))
    scale = np.empty(n)
    scale[order] = np.maximum(medians, max(LEAST_SCALE * float(np.median(size)), np.finfo(float).tiny))
    return np.asarray(error / scale)


def tail_of(size: Array) -> tuple[float, float]:
    """Return the degrees of freedom and the unit of the t distribution with these sizes (rows,)."""
    middle, upper = np.quantile(size, (0.5, UPPER))
    if not middle > 0:
        return LIGHTEST, 0.0
    freedom = _freedom_of(float(upper / middle))
    return freedom, float(middle) / t_quantile(0.75, freedom)


def _freedom_of(wanted: float) -> float:
    """Return the degrees of freedom for which the upper quantile of the sizes is so many times their median."""

    def ratio(freedom: float) -> float:
        return t_quantile(0.5 + UPPER / 2, freedom) / t_quantile(0.75, freedom)

    low, high = 1.0, LIGHTEST
    if wanted <= ratio(high):
        return high
    for _ in range(20):
        between = math.sqrt(low * high)
        low, high = (between, high) if ratio(between) > wanted else (low, between)
    return low
