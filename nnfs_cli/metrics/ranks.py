"""Metrics of ordered classes: how far a decision lies from the true class, in places of the order."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.metrics.base import MeanMetric, PredictedRows


class RankError(MeanMetric, name="rank_mae"):
    """Mean distance between predicted and true class, in places of their order: 1/n Σ_i |decided_i - y_i|.

    0 or more, lower is better; 1 means that a decision is on average one class off. It is for classes with an order,
    such as grades; their order is that of the columns of a prediction.
    Source: Gaudette and Japkowicz, "Evaluation Methods for Ordinal Classification" (2009).
    """

    examples = ("rank_mae",)
    task = "classification"
    greater_is_better = False
    figure_range = (0, np.inf)

    def row_values(self, rows: PredictedRows) -> Array:
        """Return the distance of each row, (rows,)."""
        return np.asarray(np.abs(rows.decided - rows.y))


class QuadraticKappa(MeanMetric, name="quadratic_kappa"):
    """Agreement beyond chance, with squared distances in the order of the classes: 1 - Σ w_jk O_jk / Σ w_jk E_jk.

    -1 to 1, higher is better; 0 is as good as chance. O_jk is the share of rows of class j that are decided as k, E_jk
    what it would be if decisions did not depend on the rows, and w_jk = (j - k)². NaN if all rows and decisions are of
    one class.
    Source: Cohen, "Weighted kappa" (1968).
    """

    examples = ("quadratic_kappa",)
    task = "classification"
    greater_is_better = True
    figure_range = (-1, 1)

    def row_values(self, rows: PredictedRows) -> Array:
        """Return what the two sums are made of, (rows, 4)."""
        true, said = (ranks - rows.decided[0].astype(np.float64) for ranks in (rows.y, rows.decided))  # 0 if all equal
        return np.stack([np.square(true - said), np.square(true) + np.square(said), true, said], axis=1)

    def of_means(self, means: Array) -> Array:
        """Compute the figure: the expected square of a distance by chance is E[j²] + E[k²] - 2 E[j] E[k]."""
        distance, squares, true, said = np.moveaxis(means, -1, 0)
        return np.asarray(1 - distance / (squares - 2 * true * said))
