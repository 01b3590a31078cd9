"""Metrics of numbers: how far predictions are from the truth, in the target's units or as a share."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Level
from nnfs_cli.metrics.base import MeanMetric, Metric, PredictedRows
from nnfs_cli.metrics.resamples import Resamples


class MSE(MeanMetric, name="mse"):
    """Mean squared error: 1/n Σ (y_hat - y)², over all rows and targets.

    0 to infinity, lower is better, in the target's units squared; the best constant prediction is the mean.
    Source: Gauss, "Theoria combinationis observationum erroribus minimis obnoxiae" (1823).
    """

    examples = ("mse",)
    task = "regression"
    greater_is_better = False
    figure_range = (0, math.inf)

    def row_values(self, rows: PredictedRows) -> Array:
        """Return the squared errors, (rows, targets)."""
        return np.asarray(np.square(rows.y_hat - rows.y))

    def of_means(self, means: Array) -> Array:
        """Return the mean over the targets."""
        return np.asarray(means.mean(axis=-1))


class RMSE(MSE, name="rmse"):
    """Root mean squared error: sqrt(1/n Σ (y_hat - y)²), over all rows and targets, in the target's units.

    0 to infinity, lower is better; a few large errors count more than many small ones.
    Source: Hyndman and Koehler, "Another look at measures of forecast accuracy" (2006).
    """

    examples = ("rmse",)
    pooled_power = 2.0

    def of_means(self, means: Array) -> Array:
        """Return the root of the mean over the targets."""
        return np.asarray(np.sqrt(super().of_means(means)))


class MAE(MeanMetric, name="mae"):
    """Mean absolute error: 1/n Σ |y_hat - y|, over all rows and targets, in the target's units.

    0 to infinity, lower is better; the best constant prediction is the median.
    Source: Hyndman and Koehler, "Another look at measures of forecast accuracy" (2006).
    """

    examples = ("mae",)
    task = "regression"
    greater_is_better = False
    figure_range = (0, math.inf)

    def row_values(self, rows: PredictedRows) -> Array:
        """Return the absolute errors, (rows, targets)."""
        return np.asarray(np.abs(rows.y_hat - rows.y))

    def of_means(self, means: Array) -> Array:
        """Return the mean over the targets."""
        return np.asarray(means.mean(axis=-1))


class MedianAbsoluteError(Metric, name="median_absolute_error"):
    """Median of the absolute errors: median |y_hat - y| for each target, then the mean over the targets.

    0 to infinity, lower is better, in the target's units; outliers hardly affect it.
    Source: Hyndman and Koehler, "Another look at measures of forecast accuracy" (2006).
    """

    examples = ("median_absolute_error",)
    task = "regression"
    greater_is_better = False
    figure_range = (0, math.inf)

    def measure(self, rows: PredictedRows) -> float:
        """Return the mean over the targets."""
        error = np.abs(rows.y_hat - rows.y)
        lower = partial(np.quantile, q=0.5, axis=0, weights=rows.weight, method="inverted_cdf")
        # Midway between the two middle rows; with weights, scikit-learn before 1.8 takes the lower one.
        return float(np.mean(lower(error) - lower(-error)) / 2)

    def resampled(self, rows: PredictedRows, resamples: Resamples) -> Array:
        """Return the mean over the targets: the error at which half of the weight of a resample is reached."""
        errors = np.abs(rows.y_hat - rows.y).T
        most = resamples.affordable(len(errors))
        medians = np.empty((len(errors), most))
        for error, found in zip(errors, medians, strict=True):
            order, done = np.argsort(error), 0
            for weights in resamples.chunks(order, most):
                reached = weights.cumsum(axis=1)
                half = (reached >= reached[:, -1:] / 2).argmax(axis=1)
                found[done : done + len(half)] = error[order][half]
                done += len(half)
        return np.asarray(medians.mean(axis=0)[:, None])


class R2(MeanMetric, name="r2"):
    """Coefficient of determination: 1 - Σ (y_hat - y)² / Σ (y - mean(y))² for each target, then their mean.

    Minus infinity to 1, higher is better; 0 is no better than predicting the mean. As in scikit-learn, a constant
    target counts 1 if it is predicted exactly and 0 otherwise, and a single row gives NaN.
    Source: Wright, "Correlation and causation" (1921).
    """

    examples = ("r2",)
    task = "regression"
    greater_is_better = True
    figure_range = (-math.inf, 1)

    def measure(self, rows: PredictedRows) -> float:
        """Return the mean over the targets."""
        if len(rows.y) < 2:
            return math.nan
        residual = rows.mean(np.square(rows.y_hat - rows.y))
        total = rows.mean(np.square(rows.y - rows.mean(rows.y)))
        varies = np.ptp(rows.y, axis=0) > 0  # rounding may give a constant a variance
        return float(np.where(varies, 1 - residual / np.where(varies, total, 1), residual == 0).mean())

    def fold_weight(self, rows: PredictedRows) -> float:
        """Return Σ (y - mean(y))² over the fold, so that the mean over folds is 1 - Σ (y_hat - y)² / Σ (y - mean(y))².

        Both sums are over all folds, with the mean of the fold. Of several targets, it is the sum over the targets.
        """
        return super().fold_weight(rows) * float(rows.mean(np.square(rows.y - rows.mean(rows.y))).sum())

    def row_values(self, rows: PredictedRows) -> Array:
        """Return squared errors, and distances from the mean with their squares, (rows, 3 * targets)."""
        away = rows.y - rows.mean(rows.y)
        return np.concatenate([np.square(rows.y_hat - rows.y), away, np.square(away)], axis=1)

    def of_means(self, means: Array) -> Array:
        """Return the mean over the targets; NaN if one of them is constant."""
        residual, away, squared = np.split(means, 3, axis=-1)
        return np.asarray((1 - residual / (squared - np.square(away))).mean(axis=-1))


class MAPE(MeanMetric, name="mape"):
    """Mean absolute percentage error, as a fraction: 1/n Σ |y_hat - y| / |y|, over all rows and targets.

    0 to infinity, lower is better; 0.05 means 5 %. It suits targets away from 0: a single true value of 0 that is not
    predicted exactly makes the figure huge.
    Source: Hyndman and Koehler, "Another look at measures of forecast accuracy" (2006).
    """

    examples = ("mape",)
    task = "regression"
    greater_is_better = False
    figure_range = (0, math.inf)

    def measure(self, rows: PredictedRows) -> float:
        """Return the mean over all rows and targets."""
        from sklearn.metrics import mean_absolute_percentage_error

        return float(mean_absolute_percentage_error(rows.y, rows.y_hat, sample_weight=rows.weight))

    def row_values(self, rows: PredictedRows) -> Array:
        """Return the mean over the targets for each row, (rows,)."""
        size = np.maximum(np.abs(rows.y), np.finfo(np.float64).eps)  # as scikit-learn does
        return np.asarray((np.abs(rows.y_hat - rows.y) / size).mean(axis=1))


class Pinball(MeanMetric, name="pinball", main="level"):
    """Pinball loss of a quantile q: 1/n Σ max(q e, (q - 1) e) with e = y - y_hat, over all rows and targets.

    0 to infinity, lower is better, in the target's units; half the absolute error for the median. It scores the
    predicted quantile of this level if the loss predicts it, and the prediction otherwise.
    Source: Koenker and Bassett, "Regression Quantiles" (1978).
    """

    examples = ("pinball", "pinball: 0.9")
    task = "regression"
    greater_is_better = False
    figure_range = (0, math.inf)

    level: Level = Field(default=0.5, kw_only=False)
    """Level q of the quantile: the share of true values that should lie below it."""

    def measure(self, rows: PredictedRows) -> float:
        """Return the mean over all rows and targets."""
        from sklearn.metrics import mean_pinball_loss

        y_hat = rows.quantiles.get(self.level, rows.y_hat)
        return float(mean_pinball_loss(rows.y, y_hat, alpha=self.level, sample_weight=rows.weight))

    def row_values(self, rows: PredictedRows) -> Array:
        """Return the mean over the targets for each row, (rows,)."""
        error = rows.y - rows.quantiles.get(self.level, rows.y_hat)
        return np.asarray(np.maximum(self.level * error, (self.level - 1) * error).mean(axis=1))
