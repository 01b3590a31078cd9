"""Metrics of probabilities: whether the net puts the rows in the right order, and is as sure as it should be."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveInt
from nnfs_cli.metrics.base import ByClass, Metric, PredictedRows


class Ranking(ByClass):
    """How well each class's column tells its rows from the others; only the order of the rows matters.

    Two classes are judged by the second one's column, more by the mean over the classes that have rows.
    """

    task = "classification"
    greater_is_better = True

    average: Literal["macro", "per_class"] = "macro"
    """Whether the figure of two classes is the second one's, and that of more their mean (`macro`), or each stays a
    column of its own (`per_class`)."""

    @property
    def column(self) -> str:
        """The name, for there is only one way to average."""
        return self.name

    def measure(self, rows: PredictedRows) -> float:
        """The one figure; NaN where there is one class only."""
        by_class = self.by_class(rows)
        return float(by_class[1] if len(by_class) == 2 else np.nanmean(by_class))

    def by_class(self, rows: PredictedRows) -> Array:
        """Each class against the rest; NaN where there is no rest."""
        from sklearn import metrics

        score, found = getattr(metrics, f"{self.name}_score"), np.unique(rows.y)
        figures = np.full(rows.y_hat.shape[1], math.nan)
        for k in found if len(found) > 1 else ():
            figures[k] = score(rows.y == k, rows.y_hat[:, k], sample_weight=rows.weight)
        return figures


class RocAuc(Ranking, name="roc_auc", main="average"):
    """Area under the ROC curve: P(a row of the class scores above one of the others), equal scores counting half.

    0 to 1, higher is better; 0.5 is chance. Two classes are judged by the second one's column, more by the mean of each
    against the rest. One class only has no figure (NaN).
    Source: Fawcett, "An introduction to ROC analysis" (2006).
    """

    examples = ("roc_auc", "roc_auc: per_class")


class AveragePrecision(Ranking, name="average_precision", main="average"):
    """Area under the precision-recall curve, as steps: Σ_i (recall_i - recall_i-1) precision_i, for rare classes.

    0 to 1, higher is better; the share of the class is chance. Two classes are judged by the second one's column, more
    by the mean of each against the rest. One class only has no figure (NaN).
    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval" (2008), 8.4.
    """

    examples = ("average_precision", "average_precision: per_class")


class LogLoss(Metric, name="log_loss"):
    """Negative log-likelihood of the true class: -1/n Σ_i ln(y_hat_i[y_i]).

    0 to infinity, lower is better; ln(c) is to know nothing of c classes. Probabilities are kept a rounding step away
    from 0, so that one row cannot make it infinite.
    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.108.
    """

    examples = ("log_loss",)
    task = "classification"
    greater_is_better = False
    needs_probabilities = True

    def measure(self, rows: PredictedRows) -> float:
        """Averaged over the rows."""
        from sklearn.metrics import log_loss

        labels = np.arange(rows.y_hat.shape[1])
        p = np.clip(rows.y_hat, np.finfo(rows.y_hat.dtype).eps, 1)  # rounding may have led beyond 1
        return float(log_loss(rows.y, p.astype(np.float64), labels=labels, sample_weight=rows.weight))


class Brier(Metric, name="brier"):
    """Squared error of the probabilities: 1/n Σ_i Σ_k (y_hat_ik - [y_i = k])², with two classes 1/n Σ_i (p_i - y_i)².

    0 to 2, with two classes 0 to 1, lower is better. p is the probability of the second class.
    Source: Brier, "Verification of forecasts expressed in terms of probability" (1950).
    """

    examples = ("brier",)
    task = "classification"
    greater_is_better = False
    needs_probabilities = True

    def measure(self, rows: PredictedRows) -> float:
        """Averaged over the rows. scikit-learn before 1.7 has it for two classes only."""
        n_classes = rows.y_hat.shape[1]
        errors = np.square(rows.y_hat - np.equal(rows.y[:, None], np.arange(n_classes))).sum(axis=-1)
        return float(rows.mean(errors)) / (2 if n_classes == 2 else 1)


class CalibrationError(Metric, name="calibration_error", main="bins"):
    """Expected calibration error: Σ_b n_b/n |accuracy_b - confidence_b| over bins b of equal confidence.

    0 to 1, lower is better: of the rows of which the net is 80 % sure, 80 % should be right. The confidence is the
    probability of the most probable class; the bins are equally wide, from above their lower to their upper edge.
    Source: Guo et al., "On Calibration of Modern Neural Networks" (2017), eq. 3.
    """

    examples = ("calibration_error", "calibration_error: 10")
    task = "classification"
    greater_is_better = False
    needs_probabilities = True

    bins: PositiveInt = 15
    """Into how many equal parts the confidences from 0 to 1 are divided."""

    def measure(self, rows: PredictedRows) -> float:
        """The gaps between right and sure, added up within each bin, and then their sizes."""
        confidence = rows.y_hat.max(axis=-1).astype(np.float64)
        gap = (rows.y_hat.argmax(axis=-1) == rows.y) - confidence
        of_bin = np.linspace(0, 1, self.bins + 1)[1:-1].searchsorted(confidence)
        weight = np.ones(len(gap)) if rows.weight is None else rows.weight
        return float(np.abs(np.bincount(of_bin, weight * gap)).sum() / weight.sum())
