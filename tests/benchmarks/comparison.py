"""What the figures of several models on several tables say: who is ahead, by how much, and beyond noise or not.

A variant of nnfs, such as `nnfs fast`, is ranked in place of nnfs, among the same rivals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, geometric_mean
from typing import NamedTuple

import numpy as np

OURS = "nnfs"
SIMPLE = ("constant", "linear", "MLP")  # a net must not be much worse than any of these
TEST_TO_TRAIN = 0.25  # rows
SIGNIFICANT = 0.05

Figures = dict[str, dict[str, list[dict[str, float]]]]  # by table, then by model, one for each split
Losses = Mapping[str, Mapping[str, float]]  # by table, then by model


class Duel(NamedTuple):
    """The tables on which one model has a smaller loss than another, or a greater one."""

    tables: int
    better: int
    worse: int
    surely_better: int  # beyond noise
    surely_worse: int
    ratio: float  # of the losses, the geometric mean over the tables
    p: float  # of Wilcoxon's signed-rank test of the log ratios; NaN of fewer than two tables


def models_of(found: Figures) -> list[str]:
    """Return the models that have a figure on any table, in the order of their first one."""
    return list(dict.fromkeys(model for of in found.values() for model, splits in of.items() if splits))


def is_variant(model: str) -> bool:
    """Whether a model is nnfs with another preset than the default."""
    return model.startswith(f"{OURS} ")


def shared(found: Figures, models: Sequence[str]) -> Figures:
    """Keep the splits of each table that all these models have, sorted. A table that has none is left out."""
    kept: Figures = {}
    for table, of in found.items():
        by_split = {model: {one["split"]: one for one in of.get(model, ())} for model in models}
        if by_split and (splits := sorted(set.intersection(*map(set, by_split.values())))):
            kept[table] = {model: [by_split[model][split] for split in splits] for model in models}
    return kept


def means(found: Figures, key: str = "loss") -> dict[str, dict[str, float]]:
    """Return the mean of a figure over the splits of each table and model."""
    return {
        table: {model: fmean(one[key] for one in splits) for model, splits in of.items()} for table, of in found.items()
    }


def ranks(losses: Losses) -> dict[str, float]:
    """Return the mean rank of each model over the tables: 1 is the best; equal ones share theirs."""
    from scipy.stats import rankdata

    models = list(next(iter(losses.values())))
    rows = [rankdata([of[model] for model in models]) for of in losses.values()]
    return dict(zip(models, np.mean(rows, axis=0).tolist(), strict=True))


def scores(losses: Losses) -> dict[str, float]:
    """Return the mean normalised score of each model: of a table, 1 for the least loss and 0 for the greatest."""
    models = list(next(iter(losses.values())))
    rows = np.array([[of[model] for model in models] for of in losses.values()])
    least, greatest = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    normalised = (greatest - rows) / np.where(greatest > least, greatest - least, 1)
    return dict(zip(models, normalised.mean(axis=0).tolist(), strict=True))


def among_rivals(found: Figures, model: str) -> Losses:
    """Return the losses in which a model is ranked: its own and those of the rivals.

    The constant has no rank. A rival is ranked beside nnfs, a variant in its place.
    """
    ours = model if is_variant(model) else OURS
    rivals = [other for other in models_of(found) if not is_variant(other) and other not in ("constant", OURS)]
    return means(shared(found, [*rivals, *([ours] if ours in models_of(found) else [])]))


def corrected_p(ours: Sequence[float], theirs: Sequence[float], test_to_train: float = TEST_TO_TRAIN) -> float:
    """Return the two-sided p-value of the corrected resampled t-test for paired figures of random splits.

    Splits share rows, so the variance of their mean is greater than that of independent figures: C. Nadeau and
    Y. Bengio, Inference for the Generalization Error, Machine Learning 52 (2003). It is 1 for fewer than two splits.
    """
    from scipy.stats import t

    differences = np.subtract(ours, theirs)
    n = len(differences)
    if n < 2 or not differences.any():
        return 1.0
    error = math.sqrt((1 / n + test_to_train) * differences.var(ddof=1))
    return float(2 * t.sf(abs(differences.mean()) / error, n - 1)) if error else 0.0


def duel(found: Figures, ours: str, theirs: str) -> Duel:
    """Compare two models on the splits that both have."""
    from scipy.stats import wilcoxon

    pairs = shared(found, [ours, theirs])
    losses = [[[one["loss"] for one in of[model]] for model in (ours, theirs)] for of in pairs.values()]
    logs = [math.log(fmean(a) / fmean(b)) for a, b in losses]
    sure = [math.copysign(corrected_p(a, b) < SIGNIFICANT, log) for (a, b), log in zip(losses, logs, strict=True)]
    return Duel(
        len(pairs),
        sum(log < 0 for log in logs),
        sum(log > 0 for log in logs),
        sure.count(-1),
        sure.count(1),
        math.exp(fmean(logs)) if logs else math.nan,
        float(wilcoxon(logs).pvalue) if len(logs) > 1 and any(logs) else math.nan,
    )


def worst(found: Figures, model: str) -> tuple[str, float] | None:
    """Return the table where a model has the greatest loss in proportion to the best simple one, and this ratio."""
    losses = means(shared(found, [model, *SIMPLE]))
    ratios = {table: of[model] / min(of[other] for other in SIMPLE) for table, of in losses.items()}
    return max(ratios.items(), key=lambda one: one[1]) if ratios else None


def typical(found: Figures, key: str, model: str) -> float:
    """Return the geometric mean over the tables of a figure, which is the mean of the splits."""
    return geometric_mean(of[model] for of in means(shared(found, [model]), key).values())
