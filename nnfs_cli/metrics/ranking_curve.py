"""What every threshold on a score does: the points of the ROC curve and of the precision-recall curve.

Rows count by their weights. The areas are those of the metrics `roc_auc` and `average_precision`.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics.probabilities import AveragePrecision, RocAuc


class RankingCurve(NamedTuple):
    """What a threshold on the score of a class does, from the highest threshold, which no row reaches, to the lowest.

    The class is predicted for rows whose score is at least the threshold. Everything has the shape (thresholds,).
    """

    threshold: Array
    """Infinity, then every score that occurs, descending."""
    hits: Array
    """The weight of the rows of the class that reach the threshold."""
    false_alarms: Array
    """The weight of the other rows that reach the threshold."""

    @classmethod
    def of(cls, score: Array, of_class: Array, weight: Array | None = None) -> Self:
        """Return the curve of rows with a `score`, which are `of_class` or not, each (rows,)."""
        values, place = np.unique(score, return_inverse=True)
        weight = np.ones(len(score)) if weight is None else weight.astype(np.float64)
        sums = [np.bincount(place, weight * of_rows, len(values)) for of_rows in (of_class, ~of_class.astype(bool))]
        hits, false_alarms = (np.append(0, of_value[::-1].cumsum()) for of_value in sums)
        return cls(np.append(np.inf, values[::-1].astype(np.float64)), hits, false_alarms)

    @property
    def defined(self) -> bool:
        """Whether there are rows of the class, and others."""
        return bool(self.hits[-1] > 0 and self.false_alarms[-1] > 0)

    @property
    def recall(self) -> Array:
        """The share of the rows of the class that reach the threshold: the true positive rate."""
        return np.asarray(self.hits / self.hits[-1])

    @property
    def false_alarm_rate(self) -> Array:
        """The share of the other rows that reach the threshold: the false positive rate."""
        return np.asarray(self.false_alarms / self.false_alarms[-1])

    @property
    def precision(self) -> Array:
        """The share of the rows that reach the threshold which are of the class; 1 where there are none."""
        reach = self.hits + self.false_alarms
        return np.asarray(np.divide(self.hits, reach, out=np.ones(len(reach)), where=reach > 0))

    @property
    def roc_auc(self) -> float:
        """The area under the ROC curve."""
        return float(RocAuc().area(*self._ascending)[0])

    @property
    def average_precision(self) -> float:
        """The area under the precision-recall curve, in steps."""
        return float(AveragePrecision().area(*self._ascending)[0])

    @property
    def _ascending(self) -> tuple[Array, Array]:
        """The weights at each score that occurs, ascending: of the class, and of the other rows, (1, scores) each."""
        inside, outside = (np.diff(sums)[None, ::-1] for sums in (self.hits, self.false_alarms))
        return inside, outside

    def at(self, threshold: float) -> tuple[float, float]:
        """Return the hits and the false alarms at any threshold."""
        place = int(np.searchsorted(-self.threshold, -threshold, side="right")) - 1
        return float(self.hits[place]), float(self.false_alarms[place])
