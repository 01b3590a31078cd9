"""Metrics of probabilities: how well they rank the rows, and how well they are calibrated."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Count
from nnfs_cli.metrics.base import MeanMetric, Metric, PerClassMetric, PredictedRows
from nnfs_cli.metrics.resamples import Resamples


class RankingMetric(PerClassMetric):
    """A metric of how well the probabilities of a class rank its rows above all others; only the order matters.

    For two classes it is the figure of the second one; for more, the mean over the classes that have rows. Of several
    targets of two classes, it is the mean over the second class of each.
    """

    task = "classification"
    greater_is_better = True
    figure_range = (0, 1)
    several_labels = True

    average: Literal["macro", "per_class"] = Field(default="macro", kw_only=False)
    """With `macro`, one figure: for two classes the figure of the second one, for more their mean. With `per_class`, a
    figure for each class."""

    @property
    def column(self) -> str:
        """The name of the metric, since there is only one way to average."""
        return self.name

    def measure(self, rows: PredictedRows) -> float:
        """Return the figure; NaN if all rows belong to one class."""
        per_class = self.per_class(rows)
        return float(per_class[1] if len(per_class) == 2 and not rows.several_labels else np.nanmean(per_class))

    def per_class(self, rows: PredictedRows) -> Array:
        """Return the figure of each class against the rest; NaN if all rows belong to one class."""
        from sklearn import metrics

        score, figures = getattr(metrics, f"{self.name}_score"), np.full(rows.y_hat.shape[1], math.nan)
        for k, of_class in enumerate(_of_classes(rows)):
            if of_class.any() and not of_class.all():
                figures[k] = score(of_class, rows.y_hat[:, k], sample_weight=rows.weight)
        return figures

    def resampled(self, rows: PredictedRows, resamples: Resamples) -> Array:
        """Return the figure, or the figure of each class."""
        n_classes, of_classes = rows.y_hat.shape[1], _of_classes(rows)
        of_second = n_classes == 2 and self.average == "macro" and not rows.several_labels
        wanted = [1] if of_second else range(n_classes)
        figures = np.full((len(wanted), resamples.affordable(len(wanted))), math.nan)
        for column, k in zip(figures, wanted, strict=True):
            if of_classes[k].any() and not of_classes[k].all():
                self._fill(column, of_classes[k], rows.y_hat[:, k], resamples)
        return figures.T if self.average == "per_class" else np.nanmean(figures, axis=0)[:, None]

    def _fill(self, column: Array, of_class: Array, score: Array, resamples: Resamples) -> None:
        """Write the figure of one class in every resample, (resamples,).

        A tenth of a row of the class, and of the others, is imagined at either end; see `Resamples.imagined`. It is
        enough for the intervals to hold the truth, and hardly moves them; the tests measure that.
        """
        ends = resamples.imagined(4, 0.1).reshape(2, 2, -1, 1)
        order, done = np.argsort(score, kind="stable"), 0
        starts = np.flatnonzero(np.diff(score[order], prepend=-math.inf))
        for weights in resamples.chunks(order, len(column)):
            inside = weights * of_class[order]
            outside = weights - inside
            if len(starts) < len(order):  # equal scores count together
                inside, outside = (np.add.reduceat(each, starts, axis=1) for each in (inside, outside))
            now = slice(done, done + len(weights))
            inside, outside = (
                np.concatenate([low[now], each, high[now]], axis=1)
                for each, (low, high) in zip((inside, outside), ends, strict=True)
            )
            column[now] = self.area(inside, outside)
            done = now.stop

    def area(self, inside: Array, outside: Array) -> Array:
        """Compute the figure from weights by ascending score, (resamples, scores) of the class and of all others."""
        raise NotImplementedError


def _of_classes(rows: PredictedRows) -> Array:
    """Return for each class, or for each target of two classes, which rows belong to it, (classes, rows)."""
    if rows.several_labels:
        return np.asarray(rows.y.T == 1)
    return np.equal(np.arange(rows.y_hat.shape[1])[:, None], rows.y)


class RocAuc(RankingMetric, name="roc_auc", main="average"):
    """Area under the ROC curve: P(a row of the class scores above one of the others), equal scores counting half.

    0 to 1, higher is better; chance gives 0.5. For two classes it is the figure of the second one; for more, the
    mean of each class against the rest. NaN if all rows belong to one class.
    Source: Fawcett, "An introduction to ROC analysis" (2006).
    """

    examples = ("roc_auc", "roc_auc: per_class")

    def area(self, inside: Array, outside: Array) -> Array:
        """Return the share of pairs of rows that are in the right order."""
        below = outside.cumsum(axis=1) - outside / 2
        return np.asarray((inside * below).sum(axis=1) / (inside.sum(axis=1) * outside.sum(axis=1)))


class AveragePrecision(RankingMetric, name="average_precision", main="average"):
    """Area under the precision-recall curve, in steps: Σ_i (recall_i - recall_i-1) precision_i; suits rare classes.

    0 to 1, higher is better; chance gives the share of the class. For two classes it is the figure of the second
    one; for more, the mean of each class against the rest. NaN if all rows belong to one class.
    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval" (2008), 8.4.
    """

    examples = ("average_precision", "average_precision: per_class")

    def area(self, inside: Array, outside: Array) -> Array:
        """Return the mean precision over the rows of the class."""
        inside, outside = inside[:, ::-1], outside[:, ::-1]
        hits = inside.cumsum(axis=1)
        return np.asarray((inside * hits / (hits + outside.cumsum(axis=1))).sum(axis=1) / hits[:, -1])


class LogLoss(MeanMetric, name="log_loss"):
    """Negative log-likelihood of the true class: -1/n Σ_i ln(y_hat_i[y_i]).

    0 to infinity, lower is better; equal probabilities for c classes give ln(c). Probabilities are at least the machine
    epsilon, so that a single row cannot make the figure infinite. Of several labels, it is the mean over them.
    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.108.
    """

    examples = ("log_loss",)
    task = "classification"
    greater_is_better = False
    figure_range = (0, math.inf)
    needs_probabilities = True
    several_labels = True

    def row_values(self, rows: PredictedRows) -> Array:
        """Return the loss of each row, (rows,)."""
        if rows.several_labels:
            p = np.where(rows.y == 1, rows.y_hat, 1 - rows.y_hat)
        else:
            p = rows.y_hat[np.arange(len(rows.y)), rows.y]
        losses = -np.log(np.clip(p, np.finfo(p.dtype).eps, 1).astype(np.float64))
        return np.asarray(losses.mean(axis=1) if rows.several_labels else losses)


class Brier(MeanMetric, name="brier"):
    """Squared error of the probabilities: 1/n Σ_i Σ_k (y_hat_ik - [y_i = k])², for two classes 1/n Σ_i (p_i - y_i)².

    0 to 2, for two classes 0 to 1; lower is better. p is the probability of the second class. Of several labels, it is
    the mean over them.
    Source: Brier, "Verification of forecasts expressed in terms of probability" (1950).
    """

    examples = ("brier",)
    task = "classification"
    greater_is_better = False
    figure_range = (0, 2)
    needs_probabilities = True
    several_labels = True

    def row_values(self, rows: PredictedRows) -> Array:
        """Return the error of each row, (rows,); scikit-learn before 1.7 computes it for two classes only."""
        if rows.several_labels:
            return np.asarray(np.square(rows.y_hat - rows.y).mean(axis=1))
        n_classes = rows.y_hat.shape[1]
        errors = np.square(rows.y_hat - np.equal(rows.y[:, None], np.arange(n_classes))).sum(axis=-1)
        return np.asarray(errors / 2 if n_classes == 2 else errors)


class CalibrationError(Metric, name="calibration_error", main="bins"):
    """Expected calibration error: Σ_b n_b/n |accuracy_b - confidence_b| over bins b of equal confidence.

    0 to 1, lower is better: of the rows with confidence 80 %, 80 % should be right. The confidence is the probability
    of the most probable class. The bins are equally wide; each contains its upper edge but not its lower one.

    Chance adds to it on few rows: in a bin of n rows with confidence p, about 0.8 sqrt(p (1 - p) / n) if the
    probabilities are perfect. For 15 bins, that is about 0.1 of 100 rows, 0.03 of 1,000 and 0.01 of 10,000.
    Source: Guo et al., "On Calibration of Modern Neural Networks" (2017), eq. 3.
    """

    examples = ("calibration_error", "calibration_error: 10")
    task = "classification"
    greater_is_better = False
    figure_range = (0, 1)
    needs_probabilities = True

    bins: Count = Field(default=15, kw_only=False)
    """Number of bins of equal width between the confidences 0 and 1."""

    def measure(self, rows: PredictedRows) -> float:
        """Return the weighted mean, over the bins, of the distance between accuracy and confidence."""
        confidence = rows.y_hat.max(axis=-1).astype(np.float64)
        gap = (rows.y_hat.argmax(axis=-1) == rows.y) - confidence
        weight = np.ones(len(gap)) if rows.weight is None else rows.weight
        return float(np.abs(np.bincount(self.bin_of(confidence), weight * gap)).sum() / weight.sum())

    def bin_of(self, confidence: Array) -> Array:
        """Return the index of the bin of each confidence, (rows,)."""
        return np.linspace(0, 1, self.bins + 1)[1:-1].searchsorted(confidence)

    def resampled(self, rows: PredictedRows, resamples: Resamples) -> Array:
        """Return no resamples: chance makes the distances larger in each of them than they are in the rows."""
        return np.empty((0, 1))
