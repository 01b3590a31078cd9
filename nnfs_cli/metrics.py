"""How good a net is, in figures people use. Losses are for descending; metrics are for reading."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nnfs_cli.component import Component
from nnfs_cli.losses import Task
from nnfs_cli.parameters import Array


class Metric(Component, family="metric"):
    """A figure over all rows of a split, in the target's own units."""

    task: ClassVar[Task]

    def score(self, y: Array, y_hat: Array) -> float:
        """The figure, from the truth and what the net says.

        Classification: y (rows,) class indices, y_hat (rows, n_classes) probabilities.
        Regression: y and y_hat (rows, n_targets) in the target's own units.
        """
        raise NotImplementedError


class Accuracy(Metric, name="accuracy"):
    """The share of rows whose most probable class is the true one, 0 to 1; of two equal ones the first counts."""

    examples = ("accuracy",)
    task = "classification"

    def score(self, y: Array, y_hat: Array) -> float:
        """Right answers over all answers."""
        return float(np.mean(y_hat.argmax(axis=-1) == y))


class MAE(Metric, name="mae"):
    """Mean absolute error: 1/n Σ |y_hat - y|, over all rows and targets, in the target's units."""

    examples = ("mae",)
    task = "regression"

    def score(self, y: Array, y_hat: Array) -> float:
        """Averaged over rows and targets alike."""
        return float(np.abs(y_hat - y).mean())


class RMSE(Metric, name="rmse"):
    """Root mean squared error: sqrt(1/n Σ (y_hat - y)²), over all rows and targets, in the target's units."""

    examples = ("rmse",)
    task = "regression"

    def score(self, y: Array, y_hat: Array) -> float:
        """Averaged over rows and targets alike."""
        return float(np.sqrt(np.square(y_hat - y).mean()))


class R2(Metric, name="r2"):
    """Coefficient of determination: 1 - Σ (y_hat - y)² / Σ (y - mean(y))², the mean of the targets' figures.

    1 is perfect, 0 is no better than the mean. A constant target counts 1 when it is hit exactly and 0 otherwise, and
    a single row has no figure (NaN), as in scikit-learn.
    """

    examples = ("r2",)
    task = "regression"

    def score(self, y: Array, y_hat: Array) -> float:
        """Computed for each target, then averaged."""
        if len(y) < 2:
            return float("nan")
        residual = np.square(y_hat - y).sum(axis=0)
        total = np.square(y - y.mean(axis=0)).sum(axis=0)
        varies = total > 0
        figures = np.where(varies, 1 - residual / np.where(varies, total, 1), residual == 0)
        return float(figures.mean())


def default_metrics(task: Task) -> tuple[Metric, ...]:
    """What most people want to see."""
    return (Accuracy(),) if task == "classification" else (RMSE(), R2())
