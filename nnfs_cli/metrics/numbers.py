"""Metrics of numbers: how far the net is off, in the target's own units or as a share."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from nnfs_cli.components.field_types import Level
from nnfs_cli.metrics.base import Metric, PredictedRows


class MSE(Metric, name="mse"):
    """Mean squared error: 1/n Σ (y_hat - y)², over all rows and targets.

    0 to infinity, lower is better, in the target's units squared; the mean is the best guess.
    Source: Gauss, "Theoria combinationis observationum erroribus minimis obnoxiae" (1823).
    """

    examples = ("mse",)
    task = "regression"
    greater_is_better = False

    def measure(self, rows: PredictedRows) -> float:
        """Averaged over rows and targets alike."""
        return float(rows.mean(np.square(rows.y_hat - rows.y)).mean())


class RMSE(MSE, name="rmse"):
    """Root mean squared error: sqrt(1/n Σ (y_hat - y)²), over all rows and targets, in the target's units.

    0 to infinity, lower is better; a few large errors weigh more than many small ones.
    Source: Hyndman and Koehler, "Another look at measures of forecast accuracy" (2006).
    """

    examples = ("rmse",)

    def measure(self, rows: PredictedRows) -> float:
        """The root of the mean over rows and targets alike."""
        return math.sqrt(super().measure(rows))


class MAE(Metric, name="mae"):
    """Mean absolute error: 1/n Σ |y_hat - y|, over all rows and targets, in the target's units.

    0 to infinity, lower is better; the median is the best guess.
    Source: Hyndman and Koehler, "Another look at measures of forecast accuracy" (2006).
    """

    examples = ("mae",)
    task = "regression"
    greater_is_better = False

    def measure(self, rows: PredictedRows) -> float:
        """Averaged over rows and targets alike."""
        return float(rows.mean(np.abs(rows.y_hat - rows.y)).mean())


class MedianAbsoluteError(Metric, name="median_absolute_error"):
    """The error that half of the rows stay below: median |y_hat - y|, the mean of the targets' figures.

    0 to infinity, lower is better, in the target's units; the wildest rows do not move it.
    Source: Hyndman and Koehler, "Another look at measures of forecast accuracy" (2006).
    """

    examples = ("median_absolute_error",)
    task = "regression"
    greater_is_better = False

    def measure(self, rows: PredictedRows) -> float:
        """Computed for each target, then averaged."""
        error = np.abs(rows.y_hat - rows.y)
        lower = partial(np.quantile, q=0.5, axis=0, weights=rows.weight, method="inverted_cdf")
        # Midway between two middle rows; scikit-learn before 1.8 takes the lower one of them where rows have weights.
        return float(np.mean(lower(error) - lower(-error)) / 2)


class R2(Metric, name="r2"):
    """Coefficient of determination: 1 - Σ (y_hat - y)² / Σ (y - mean(y))², the mean of the targets' figures.

    Minus infinity to 1, higher is better; 0 is no better than the mean. A constant target counts 1 when it is hit
    exactly and 0 otherwise, and a single row has no figure (NaN), as in scikit-learn.
    Source: Wright, "Correlation and causation" (1921).
    """

    examples = ("r2",)
    task = "regression"
    greater_is_better = True

    def measure(self, rows: PredictedRows) -> float:
        """Computed for each target, then averaged."""
        if len(rows.y) < 2:
            return math.nan
        residual = rows.mean(np.square(rows.y_hat - rows.y))
        total = rows.mean(np.square(rows.y - rows.mean(rows.y)))
        varies = np.ptp(rows.y, axis=0) > 0  # rounding may leave a constant a variance
        return float(np.where(varies, 1 - residual / np.where(varies, total, 1), residual == 0).mean())


class MAPE(Metric, name="mape"):
    """Mean absolute percentage error, as a fraction: 1/n Σ |y_hat - y| / |y|, over all rows and targets.

    0 to infinity, lower is better; 0.05 is 5 %. For targets away from 0: a single true 0 that is not hit makes it huge.
    Source: Hyndman and Koehler, "Another look at measures of forecast accuracy" (2006).
    """

    examples = ("mape",)
    task = "regression"
    greater_is_better = False

    def measure(self, rows: PredictedRows) -> float:
        """Averaged over rows and targets alike."""
        from sklearn.metrics import mean_absolute_percentage_error

        return float(mean_absolute_percentage_error(rows.y, rows.y_hat, sample_weight=rows.weight))


class Pinball(Metric, name="pinball", main="level"):
    """Cost of missing a quantile q: 1/n Σ max(q e, (q - 1) e) with e = y - y_hat, over all rows and targets.

    0 to infinity, lower is better, in the target's units; half the absolute error for the median. It judges what the
    net says of this quantile where it was trained for it, and its prediction otherwise.
    Source: Koenker and Bassett, "Regression Quantiles" (1978).
    """

    examples = ("pinball", "pinball: 0.9")
    task = "regression"
    greater_is_better = False

    level: Level = 0.5
    """Of the quantile: the share of rows that should lie below what is predicted."""

    def measure(self, rows: PredictedRows) -> float:
        """Averaged over rows and targets alike."""
        from sklearn.metrics import mean_pinball_loss

        y_hat = rows.quantiles.get(self.level, rows.y_hat)
        return float(mean_pinball_loss(rows.y, y_hat, alpha=self.level, sample_weight=rows.weight))
