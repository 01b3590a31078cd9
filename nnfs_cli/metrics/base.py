"""The contract of a metric, and the predicted rows that it measures."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from nnfs_cli.arrays import Array, all_finite
from nnfs_cli.components.component import Component
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.nn.losses import Loss, Task
from nnfs_cli.system.ignored_warnings import ignored_warnings

if TYPE_CHECKING:
    from nnfs_cli.metrics.resamples import Resamples

Figure = TypeVar("Figure", float, Array)
SLOW_RESAMPLES = 200  # resamples for a metric that measures one after another
_ALONE = threading.RLock()  # scikit-learn's metrics replace the warning filters of the process for a moment


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """Rows with their true and predicted values."""

    y: Array
    """True values: class indices (rows,), or values (rows, n_targets) in the target's units. Of several targets of two
    classes, 1 for the second class and 0 for the first, (rows, n_targets)."""
    y_hat: Array
    """Predictions: probabilities or scores (rows, n_classes), or values (rows, n_targets). Of several targets of two
    classes, the probabilities of the second class, (rows, n_targets)."""
    weight: Array | None = None
    """Weight of each row, (rows,), 0 or more; None if all rows count alike."""
    threshold: float | Array | None = None
    """For two classes: the second one is predicted at this probability or more, (n_targets,) of several targets. None
    for the most probable class."""
    classes: tuple[str, ...] = ()
    """Labels of the classes as texts, or names of several targets of two classes, in the order of the columns; without
    them, a class is named by its index."""
    quantiles: Mapping[float, Array] = field(default_factory=dict)
    """Predicted quantiles by level, each (rows, n_targets), if the loss predicts quantiles."""
    group: Array | None = None
    """Index of the group of each row, (rows,), or of its block in time, if the split is by groups or time."""

    @cached_property
    def decided(self) -> Array:
        """The predicted class of each row, (rows,), or of each of several targets, (rows, n_targets)."""
        if self.several_labels:
            return decide_labels(self.y_hat, self.threshold)
        return decide(self.y_hat, None if self.threshold is None else float(self.threshold))

    @property
    def several_labels(self) -> bool:
        """Whether there are several targets of two classes each, so that y holds indicators and not indices."""
        return self.y.ndim > 1

    @property
    def with_weight(self) -> PredictedRows:
        """These rows without the ones of weight 0."""
        if self.weight is None or self.weight.all():
            return self  # not cached: rows that hold themselves would stay in memory
        return self._some

    @cached_property
    def _some(self) -> PredictedRows:
        return self.take(np.flatnonzero(np.ones(len(self.y)) if self.weight is None else self.weight))

    def take(self, rows: Array) -> PredictedRows:
        """Return some of the rows, by index (n,)."""
        quantiles = {level: values[rows] for level, values in self.quantiles.items()}
        y, y_hat = self.y[rows], self.y_hat[rows]
        weight, group = (None if each is None else each[rows] for each in (self.weight, self.group))
        return replace(self, y=y, y_hat=y_hat, weight=weight, quantiles=quantiles, group=group)

    @cached_property
    def usable(self) -> bool:
        """Whether there are rows, and every prediction is a finite number."""
        return len(self.y) > 0 and all(map(all_finite, (self.y_hat, *self.quantiles.values())))

    def mean(self, values: Array) -> Array:
        """Return the weighted mean of values over the rows in float64: (rows, ...) -> (...)."""
        if self.weight is None:
            if values.dtype == bool and values.ndim == 1:
                return np.asarray(np.count_nonzero(values) / len(values))  # the same number, several times as fast
            return np.asarray(values.mean(axis=0, dtype=np.float64))
        return np.asarray(np.average(values.astype(np.float64), axis=0, weights=self.weight))

    def figure(self, measure: Callable[[PredictedRows], Figure]) -> Figure | float:
        """Return `measure` of the rows with weight; NaN without such rows, or if a prediction is not finite."""
        rows = self.with_weight
        if not rows.usable:
            return math.nan
        with _ALONE, ignored_warnings(), np.errstate(all="ignore"):  # an undefined figure is NaN
            return measure(rows)


def decide(y_hat: Array, threshold: float | None = None) -> Array:
    """Return the class of each row, (rows,), from probabilities y_hat (rows, n_classes).

    Without a threshold, that is the most probable class, and the first of equals. With one, it is the second of two
    classes wherever its probability is at least the threshold.
    """
    if threshold is None:
        return np.asarray(y_hat.argmax(axis=-1))
    # In float64: rounded to float32, a threshold could equal the probability that it was set to exceed.
    return (y_hat[:, 1] >= np.float64(threshold)).astype(np.intp)


def decide_labels(y_hat: Array, threshold: float | Array | None = None) -> Array:
    """Return for each target whether its second class is predicted, 1 or 0, from probabilities y_hat (rows, n_targets).

    That is where the probability is at least the threshold, 0.5 by default.
    """
    at_least = 0.5 if threshold is None else np.asarray(threshold, np.float64)
    return (y_hat.astype(np.float64) >= at_least).astype(np.intp)


class Metric(Component, family="metric"):
    """A figure that says how good predictions are. Means are weighted if rows have weights.

    A subclass sets `task` and `greater_is_better`, and implements `measure`. A figure that is undefined for some rows,
    such as a correlation with a single class, is NaN, without a warning.
    """

    needs = ("task", "greater_is_better", "measure")
    synonyms: ClassVar[Mapping[str, str]] = {
        "acc": "accuracy",
        "auc": "roc_auc",
        "mean_absolute_error": "mae",
        "quadratic_weighted_kappa": "quadratic_kappa",
        "qwk": "quadratic_kappa",
        "r2_score": "r2",
        "root_mean_squared_error": "rmse",
    }
    task: ClassVar[Task]
    greater_is_better: ClassVar[bool]
    several_labels: ClassVar[bool] = False
    """Whether it measures several targets of two classes each, too."""
    needs_probabilities: ClassVar[bool] = False
    """Whether y_hat must hold probabilities; the scores of a hinge loss, for instance, are not."""
    figure_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    """The least and the greatest value that the figure can have."""
    pooled_power: ClassVar[float] = 1.0
    """Power of the figure that can be averaged over folds; 2 for the root of a mean square."""

    @property
    def column(self) -> str:
        """The name of the figure in a log: the metric's name and its main setting, as in `f1_macro`."""
        return self.label().replace(" ", "_")

    def columns(self, classes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of all its figures in a log; a metric may have one for each class."""
        return (self.column,)

    def score(self, rows: PredictedRows) -> float:
        """Return the figure as one number, or NaN."""
        return float(rows.figure(self.measure))

    def figures(self, rows: PredictedRows) -> dict[str, float]:
        """Return the figures by their names in a log: one, or one for each class."""
        return {self.column: self.score(rows)}

    def fold_weight(self, rows: PredictedRows) -> float:
        """Return how much a fold counts in the mean over folds: by default the sum of the weights of its rows."""
        return float(len(rows.y) if rows.weight is None else rows.weight.sum(dtype=np.float64))

    def measure(self, rows: PredictedRows) -> float:
        """Compute the figure from at least one row; every row has a weight above 0 and finite predictions."""
        raise NotImplementedError

    def resampled(self, rows: PredictedRows, resamples: Resamples) -> Array:
        """Return the figures of every resample, (resamples, figures); NaN where there is no interval.

        The rows are as for `measure`. This way takes any metric, one resample after another; the built-in metrics have
        faster ones.
        """
        figures = [self.figures(replace(rows, weight=weight)) for weight in resamples.weights(SLOW_RESAMPLES)]
        return np.array([list(of_one.values()) for of_one in figures])


class MeanMetric(Metric):
    """A metric that is a function of means over the rows."""

    share: ClassVar[bool] = False
    """Whether the figure is a share of the rows: each row has the value 0 or 1."""

    def row_values(self, rows: PredictedRows) -> Array:
        """Compute the values whose means are needed, (rows,) or (rows, n)."""
        raise NotImplementedError

    def of_means(self, means: Array) -> Array:
        """Compute the figure from the means, (...) or (..., n) -> (...)."""
        return means

    def measure(self, rows: PredictedRows) -> float:
        """Compute the figure from the means over the rows."""
        return float(self.of_means(rows.mean(self.row_values(rows))))

    def resampled(self, rows: PredictedRows, resamples: Resamples) -> Array:
        """Compute the figure from the means over each resample."""
        return self.of_means(resamples.means(self.row_values(rows), self.share))[:, None]


class PerClassMetric(Metric):
    """A metric with a figure for each class, which `average` combines; `average: per_class` reports each of them."""

    average: str

    @property
    def column(self) -> str:
        """The name with the average, as in `f1_macro`; with `per_class`, the prefix of the figures of the classes."""
        return self.name if self.average == "per_class" else super().column

    def columns(self, classes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the name of the figure, or one name for each class."""
        return tuple(f"{self.name}_{label}" for label in classes) if self.average == "per_class" else (self.column,)

    def figures(self, rows: PredictedRows) -> dict[str, float]:
        """Return the figure, or one for each class, such as `f1_setosa`."""
        if self.average != "per_class":
            return super().figures(rows)
        n_classes = rows.y_hat.shape[1]
        columns = [f"{self.column}_{label}" for label in rows.classes or range(n_classes)]
        per_class = np.broadcast_to(rows.figure(self.per_class), n_classes)
        return dict(zip(columns, per_class.tolist(), strict=True))

    def per_class(self, rows: PredictedRows) -> Array:
        """Compute one figure for each class, (n_classes,); NaN where it is undefined."""
        raise NotImplementedError


def default_metrics(loss: Loss) -> tuple[Metric, ...]:
    """Return the usual metrics: RMSE and R² for numbers, accuracy for classes, with distances if they are ordered."""
    of_ranks = ("rank_mae", "quadratic_kappa") if loss.ordered else ()
    names = ("rmse", "r2") if loss.task == "regression" else ("accuracy", *of_ranks)
    return tuple(map(Metric.resolve, names))


def mode_of(figure: str, metrics: Iterable[Metric]) -> Mode | None:
    """Return the direction in which a figure of the log is better; None if the log has no such figure.

    `figure` is a name such as `val_f1_macro`. The names of classes need not be known: any name with the prefix of a
    per-class metric is accepted.
    """
    name = figure.partition("_")[2] if figure.startswith(("train_", "val_")) else ""
    if name == "loss":
        return "min"
    for metric in metrics:
        columns = metric.columns(())
        if name in columns or (not columns and name.startswith(f"{metric.column}_")):
            return "max" if metric.greater_is_better else "min"
    return None
