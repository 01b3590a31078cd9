"""How good a net is, in figures people use. Losses are for descending; metrics are for reading."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, TypeVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.nn.losses import Task

Figure = TypeVar("Figure", float, Array)


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """What a net said about rows whose truth is known."""

    y: Array
    """The truth: class indices (rows,), or values (rows, n_targets) in their own units."""
    y_hat: Array
    """The answer: probabilities or scores (rows, n_classes), or values (rows, n_targets)."""
    weight: Array | None = None
    """What each row counts, (rows,), 0 or more; all the same without it."""
    threshold: float | None = None
    """Two classes only: the probability of the second class from which it is decided for."""
    classes: tuple[str, ...] = ()
    """The labels' words, in the order of the columns; without them a class is called by its index."""
    quantiles: Mapping[float, Array] = field(default_factory=dict)
    """The predicted quantiles by their level, each (rows, n_targets), where the loss predicts quantiles."""

    @cached_property
    def decided(self) -> Array:
        """The class that is decided for, (rows,)."""
        return decide(self.y_hat, self.threshold)

    @cached_property
    def counted(self) -> PredictedRows:
        """Without the rows of weight zero."""
        if self.weight is None or self.weight.all():
            return self
        rows = np.flatnonzero(self.weight)
        quantiles = {level: values[rows] for level, values in self.quantiles.items()}
        return replace(self, y=self.y[rows], y_hat=self.y_hat[rows], weight=self.weight[rows], quantiles=quantiles)

    @cached_property
    def conclusive(self) -> bool:
        """Whether there are rows, and every answer is a finite number."""
        return len(self.y) > 0 and all(np.isfinite(said).all() for said in (self.y_hat, *self.quantiles.values()))

    def mean(self, values: Array) -> Array:
        """Their weighted mean over the rows in float64, (rows, ...) -> (...)."""
        if self.weight is None:
            return np.asarray(values.mean(axis=0, dtype=np.float64))
        return np.asarray(np.average(values.astype(np.float64), axis=0, weights=self.weight))

    def judged(self, measure: Callable[[PredictedRows], Figure]) -> Figure | float:
        """What `measure` makes of the rows that count; NaN where there are none, or the net's answer is not finite."""
        if not self.counted.conclusive:
            return math.nan
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):  # NaN says that it is undefined
            return measure(self.counted)


def decide(y_hat: Array, threshold: float | None = None) -> Array:
    """(rows, n_classes) -> the class of each row: by the threshold, or the most probable, of equal ones the first."""
    if threshold is None:
        return np.asarray(y_hat.argmax(axis=-1))
    # As float64: a threshold rounded to float32 may pass the probability that it was set to stand above.
    return (y_hat[:, 1] >= np.float64(threshold)).astype(np.intp)


class Metric(Component, family="metric"):
    """A figure over the rows of a split, in the target's own units. Means are weighted where rows have weights.

    A figure that the rows leave undefined, such as a correlation with one class only, is NaN, without a warning.
    """

    needs = ("task", "greater_is_better", "measure")
    task: ClassVar[Task]
    greater_is_better: ClassVar[bool]
    needs_probabilities: ClassVar[bool] = False  # scores that are none, as of a hinge loss, will not do

    @property
    def column(self) -> str:
        """What its figure is called in a log: its name and its main setting, as in ``f1_macro``."""
        return self.label().replace(" ", "_")

    def columns(self, classes: tuple[str, ...]) -> tuple[str, ...]:
        """What the log calls all its figures, of which there may be one for each class."""
        return (self.column,)

    def score(self, rows: PredictedRows) -> float:
        """The figure, or NaN."""
        return float(rows.judged(self.measure))

    def figures(self, rows: PredictedRows) -> dict[str, float]:
        """What a log shows, by column: the figure, or several."""
        return {self.column: self.score(rows)}

    def measure(self, rows: PredictedRows) -> float:
        """What `score` gives, from one row or more, of which each counts and has a finite answer."""
        raise NotImplementedError


class ByClass(Metric):
    """A metric that is made of one figure for each class, which may also stay so, by ``average: per_class``."""

    average: str

    @property
    def column(self) -> str:
        """With the average, as in ``f1_macro``; alone, as the beginning of the classes' columns."""
        return self.name if self.average == "per_class" else super().column

    def columns(self, classes: tuple[str, ...]) -> tuple[str, ...]:
        """The one, or one for each class."""
        return tuple(f"{self.name}_{label}" for label in classes) if self.average == "per_class" else (self.column,)

    def figures(self, rows: PredictedRows) -> dict[str, float]:
        """The one figure, or one for each class, such as ``f1_setosa``."""
        if self.average != "per_class":
            return super().figures(rows)
        n_classes = rows.y_hat.shape[1]
        columns = [f"{self.column}_{word}" for word in rows.classes or range(n_classes)]
        by_class = np.broadcast_to(rows.judged(self.by_class), n_classes)
        return dict(zip(columns, by_class.tolist(), strict=True))

    def by_class(self, rows: PredictedRows) -> Array:
        """One figure for each class, (n_classes,), NaN where it is undefined."""
        raise NotImplementedError


def default_metrics(task: Task) -> tuple[Metric, ...]:
    """What most people want to see."""
    return tuple(map(Metric.resolve, ("accuracy",) if task == "classification" else ("rmse", "r2")))


def mode_of(figure: str, metrics: Iterable[Metric]) -> Mode | None:
    """Whether a figure of the log is to be small or large; None when the log has no such figure.

    Of a metric that gives a figure for each class it need only be known what they begin with.
    """
    name = figure.partition("_")[2] if figure.startswith(("train_", "val_")) else ""
    if name == "loss":
        return "min"
    for metric in metrics:
        columns = metric.columns(())
        if name in columns or (not columns and name.startswith(f"{metric.column}_")):
            return "max" if metric.greater_is_better else "min"
    return None
