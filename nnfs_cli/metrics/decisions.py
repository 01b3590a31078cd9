"""Metrics of decisions: which class was chosen for each row, however sure the net was of it."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveInt
from nnfs_cli.metrics.base import ByClass, Metric, PredictedRows


class Accuracy(Metric, name="accuracy"):
    """The share of rows that are decided rightly: 1/n Σ_i [decided_i = y_i].

    0 to 1, higher is better. The most probable class is decided for, of equal ones the first, unless there is a
    threshold.
    Source: Sokolova and Lapalme, "A systematic analysis of performance measures for classification tasks" (2009).
    """

    examples = ("accuracy",)
    task = "classification"
    greater_is_better = True

    def measure(self, rows: PredictedRows) -> float:
        """Right decisions over all decisions."""
        return float(rows.mean(rows.decided == rows.y))


class BalancedAccuracy(Metric, name="balanced_accuracy"):
    """Accuracy within each class, averaged: 1/c Σ_k P(decided = k | y = k), so that rare classes count like others.

    0 to 1, higher is better; 1/c is chance. A class without rows is left out.
    Source: Brodersen et al., "The Balanced Accuracy and Its Posterior Distribution" (2010).
    """

    examples = ("balanced_accuracy",)
    task = "classification"
    greater_is_better = True

    def measure(self, rows: PredictedRows) -> float:
        """The mean recall of the classes that there are."""
        from sklearn.metrics import balanced_accuracy_score

        return float(balanced_accuracy_score(rows.y, rows.decided, sample_weight=rows.weight))


class ClassFigure(ByClass):
    """A figure of the decisions for each class, against all others, and how they become one.

    A class counts where it is the truth of a row or is decided for; a figure of 0/0 counts as `undefined`.
    """

    task = "classification"
    greater_is_better = True
    undefined: ClassVar[float] = 0.0

    average: Literal["macro", "micro", "weighted", "per_class"] = "macro"
    """How the classes' figures become one: their mean (`macro`), their mean by the classes' sizes (`weighted`), or one
    figure of all decisions counted together (`micro`). With `per_class` each stays a column of its own."""

    def measure(self, rows: PredictedRows) -> float:
        """The one figure; the mean over the classes where each has a column."""
        return float(self._score(rows, average="macro" if self.average == "per_class" else self.average))

    def by_class(self, rows: PredictedRows) -> Array:
        """NaN for those that are neither true nor decided for."""
        found = np.union1d(rows.y, rows.decided)
        figures = np.full(rows.y_hat.shape[1], math.nan)
        figures[found] = self._score(rows, labels=found, average=None)
        return figures

    def _score(self, rows: PredictedRows, **how: Any) -> Any:
        from sklearn import metrics

        score = getattr(metrics, f"{self.name}_score")
        return score(rows.y, rows.decided, sample_weight=rows.weight, zero_division=self.undefined, **how)


class Precision(ClassFigure, name="precision", main="average"):
    """How far a decision can be trusted: TP / (TP + FP), of the rows decided for a class the share that belong to it.

    0 to 1, higher is better. A class that is never decided for counts 0.
    Source: Sokolova and Lapalme, "A systematic analysis of performance measures for classification tasks" (2009).
    """

    examples = ("precision", "precision: per_class")


class Recall(ClassFigure, name="recall", main="average"):
    """How much of a class is found: TP / (TP + FN), of the rows that belong to a class the share decided for it.

    0 to 1, higher is better. A class without rows has no figure and is left out.
    Source: Sokolova and Lapalme, "A systematic analysis of performance measures for classification tasks" (2009).
    """

    examples = ("recall", "recall: micro")
    undefined = math.nan


class F1(ClassFigure, name="f1", main="average"):
    """Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN), for each class.

    0 to 1, higher is better. Averaged, it is the mean of the classes' F1, not the F1 of their means.
    Source: van Rijsbergen, "Information Retrieval" (1979), chapter 7.
    """

    examples = ("f1", "f1: weighted", "f1: per_class")


class MatthewsCorrelation(Metric, name="matthews_correlation"):
    """Correlation of decision and truth: (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)).

    -1 to 1, higher is better; 0 is chance, also for a net that always decides the same. More than two classes: cov(t,
    d) / sqrt(cov(t, t) cov(d, d)) with the indicators t of truth and d of decision. One class only has no figure (NaN).
    Source: Matthews (1975); Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient"
    (2004).
    """

    examples = ("matthews_correlation",)
    task = "classification"
    greater_is_better = True

    def measure(self, rows: PredictedRows) -> float:
        """Of any number of classes."""
        from sklearn.metrics import matthews_corrcoef

        if np.ptp(rows.y) == 0:
            return math.nan
        return float(matthews_corrcoef(rows.y, rows.decided, sample_weight=rows.weight))


class TopKAccuracy(Metric, name="top_k_accuracy", main="k"):
    """The share of rows whose class is among the k most probable: 1/n Σ_i [y_i ∈ top_k(y_hat_i)].

    0 to 1, higher is better; 1 where there are no more than k classes. Of equal classes the first comes first.
    Source: Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge" (2015).
    """

    examples = ("top_k_accuracy", "top_k_accuracy: 3")
    task = "classification"
    greater_is_better = True

    k: PositiveInt = 5
    """How many guesses a row has."""

    @property
    def column(self) -> str:
        """As people call it: ``top_5_accuracy``."""
        return f"top_{self.k}_accuracy"

    def measure(self, rows: PredictedRows) -> float:
        """Rows guessed within k guesses over all rows."""
        guesses = np.argsort(-rows.y_hat, axis=-1, kind="stable")[:, : self.k]
        return float(rows.mean((guesses == rows.y[:, None]).any(axis=-1)))
