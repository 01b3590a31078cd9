"""Metrics of decisions: they compare the predicted class of each row with the true one, whatever its probability."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveInt
from nnfs_cli.metrics.base import MeanMetric, Metric, PerClassMetric, PredictedRows
from nnfs_cli.metrics.class_counts import class_counts
from nnfs_cli.metrics.resamples import Resamples


class Accuracy(MeanMetric, name="accuracy"):
    """Share of rows whose predicted class is right: 1/n Σ_i [decided_i = y_i].

    0 to 1, higher is better. The predicted class is the most probable one, the first of equals, unless a threshold is
    set. Of several labels, it is the mean over them.
    Source: Sokolova and Lapalme, "A systematic analysis of performance measures for classification tasks" (2009).
    """

    examples = ("accuracy",)
    task = "classification"
    greater_is_better = True
    figure_range = (0, 1)

    share = True
    several_labels = True

    def row_values(self, rows: PredictedRows) -> Array:
        """Return whether the decision is right, (rows,); of several labels, the share that is right."""
        right = np.asarray(rows.decided == rows.y)
        return np.asarray(right.mean(axis=1)) if rows.several_labels else right


class SubsetAccuracy(Accuracy, name="subset_accuracy"):
    """Share of rows whose labels are all predicted right: 1/n Σ_i [decided_i = y_i], where both are lists of labels.

    0 to 1, higher is better, and never higher than the accuracy of the worst label. For a single target it is the
    accuracy.
    Source: Sokolova and Lapalme, "A systematic analysis of performance measures for classification tasks" (2009).
    """

    examples = ("subset_accuracy",)

    def row_values(self, rows: PredictedRows) -> Array:
        """Return whether all decisions are right, (rows,)."""
        right = np.asarray(rows.decided == rows.y)
        return np.asarray(right.all(axis=1)) if rows.several_labels else right


class BalancedAccuracy(Metric, name="balanced_accuracy"):
    """Mean of the accuracies within the classes: 1/c Σ_k P(decided = k | y = k); rare classes count like others.

    0 to 1, higher is better; chance gives 1/c. A class without rows is left out.
    Source: Brodersen et al., "The Balanced Accuracy and Its Posterior Distribution" (2010).
    """

    examples = ("balanced_accuracy",)
    task = "classification"
    greater_is_better = True
    figure_range = (0, 1)

    def measure(self, rows: PredictedRows) -> float:
        """Return the mean recall of the classes that have rows."""
        from sklearn.metrics import balanced_accuracy_score

        return float(balanced_accuracy_score(rows.y, rows.decided, sample_weight=rows.weight))

    def resampled(self, rows: PredictedRows, resamples: Resamples) -> Array:
        """Return the mean recall of the classes that have rows."""
        return np.asarray(np.nanmean(class_counts(rows, resamples).recall, axis=1, keepdims=True))


class ConfusionMetric(PerClassMetric):
    """A metric from true and false positives and negatives (TP, FP, FN) of each class against all others.

    A class takes part if it is the true or the predicted class of some row. A figure of 0/0 counts as `undefined`.
    Of several targets of two classes, the second class of each takes the place of the classes.
    """

    task = "classification"
    greater_is_better = True
    figure_range = (0, 1)
    several_labels = True
    undefined: ClassVar[float] = 0.0

    average: Literal["macro", "micro", "weighted", "per_class"] = Field(default="macro", kw_only=False)
    """Combination of the figures of the classes: their mean (`macro`), their mean weighted by the rows of each class
    (`weighted`), or one figure from the decisions of all classes together (`micro`). With `per_class`, each class has a
    figure of its own."""

    def measure(self, rows: PredictedRows) -> float:
        """Return the combined figure; with `per_class`, the mean over the classes."""
        return float(self._score(rows, average="macro" if self.average == "per_class" else self.average))

    def per_class(self, rows: PredictedRows) -> Array:
        """Return the figure of each class; NaN for a class that is neither true nor predicted."""
        if rows.several_labels:
            return np.asarray(self._score(rows, average=None))
        found = np.union1d(rows.y, rows.decided)
        figures = np.full(rows.y_hat.shape[1], math.nan)
        figures[found] = self._score(rows, labels=found, average=None)
        return figures

    def resampled(self, rows: PredictedRows, resamples: Resamples) -> Array:
        """Return the combined figure, or the figure of each class."""
        if rows.several_labels:
            return Metric.resampled(self, rows, resamples)
        counts = class_counts(rows, resamples, together=self.average != "per_class")
        figures: Array = getattr(counts, self.name)
        match self.average:
            case "macro":
                figures = np.nanmean(figures, axis=1, keepdims=True)
            case "weighted":
                figures = np.nansum(figures * counts.true, axis=1, keepdims=True) / counts.true.sum(axis=1)[:, None]
            case "micro":  # a wrong decision is a false positive and a false negative, so all three are the accuracy
                figures = counts.hits.sum(axis=1, keepdims=True) / counts.true.sum(axis=1)[:, None]
        return figures

    def _score(self, rows: PredictedRows, **how: Any) -> Any:
        from sklearn import metrics

        score = getattr(metrics, f"{self.name}_score")
        return score(rows.y, rows.decided, sample_weight=rows.weight, zero_division=self.undefined, **how)


class Precision(ConfusionMetric, name="precision", main="average"):
    """Share of the rows predicted as a class that belong to it: TP / (TP + FP).

    0 to 1, higher is better. A class that is never predicted counts 0.
    Source: Sokolova and Lapalme, "A systematic analysis of performance measures for classification tasks" (2009).
    """

    examples = ("precision", "precision: per_class")

    def resampled(self, rows: PredictedRows, resamples: Resamples) -> Array:
        """Return the combined figure, or the figure of each class; NaN if a class is never predicted.

        Its precision counts 0 by agreement, and no row tells what it would be if the class were predicted.
        """
        figures, unknown = super().resampled(rows, resamples), np.setdiff1d(rows.y, rows.decided)
        if rows.several_labels:
            return figures
        if len(unknown) and self.average in ("per_class", "macro"):
            figures[:, unknown if self.average == "per_class" else 0] = math.nan
        return figures


class Recall(ConfusionMetric, name="recall", main="average"):
    """Share of the rows of a class that are predicted as this class: TP / (TP + FN).

    0 to 1, higher is better. A class without rows has no figure and is left out.
    Source: Sokolova and Lapalme, "A systematic analysis of performance measures for classification tasks" (2009).
    """

    examples = ("recall", "recall: micro")
    undefined = math.nan


class F1(ConfusionMetric, name="f1", main="average"):
    """Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN), for each class.

    0 to 1, higher is better. The average is the mean of the F1 of the classes, not the F1 of their means.
    Source: van Rijsbergen, "Information Retrieval" (1979), chapter 7.
    """

    examples = ("f1", "f1: weighted", "f1: per_class")


class MatthewsCorrelation(Metric, name="matthews_correlation"):
    """Correlation of predicted and true class: (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)).

    -1 to 1, higher is better; chance, or a net that always predicts one class, gives 0. For more than two classes it is
    cov(t, d) / sqrt(cov(t, t) cov(d, d)), with indicators t of the true and d of the predicted class. NaN if all rows
    belong to one class.
    Source: Matthews (1975); Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient"
    (2004).
    """

    examples = ("matthews_correlation",)
    task = "classification"
    greater_is_better = True
    figure_range = (-1, 1)

    def measure(self, rows: PredictedRows) -> float:
        """Return the correlation, for any number of classes."""
        from sklearn.metrics import matthews_corrcoef

        if np.ptp(rows.y) == 0:
            return math.nan
        return float(matthews_corrcoef(rows.y, rows.decided, sample_weight=rows.weight))

    def resampled(self, rows: PredictedRows, resamples: Resamples) -> Array:
        """Return the correlation; NaN if all rows belong to one class, and nothing if one class is predicted."""
        if np.ptp(rows.decided) == 0:  # counts 0 by agreement
            return np.empty((0, 1))
        hits, true, said = class_counts(rows, resamples)
        total = true.sum(axis=1)
        spread = [np.square(total) - np.square(each).sum(axis=1) for each in (true, said)]
        covariance = total * hits.sum(axis=1) - (true * said).sum(axis=1)
        return np.asarray(covariance / np.sqrt(spread[0] * spread[1]))[:, None]


class TopKAccuracy(MeanMetric, name="top_k_accuracy", main="k"):
    """Share of rows whose class is among the k most probable: 1/n Σ_i [y_i ∈ top_k(y_hat_i)].

    0 to 1, higher is better; 1 if there are at most k classes. Of equally probable classes, the first comes first.
    Source: Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge" (2015).
    """

    examples = ("top_k_accuracy", "top_k_accuracy: 3")
    task = "classification"
    greater_is_better = True
    figure_range = (0, 1)

    k: PositiveInt = Field(default=5, kw_only=False)
    """Number of most probable classes that count."""

    @property
    def column(self) -> str:
        """The usual name, such as `top_5_accuracy`."""
        return f"top_{self.k}_accuracy"

    share = True

    def row_values(self, rows: PredictedRows) -> Array:
        """Return whether the class is among the k most probable, (rows,)."""
        top = np.argsort(-rows.y_hat, axis=-1, kind="stable")[:, : self.k]
        return np.asarray((top == rows.y[:, None]).any(axis=-1))
