"""The losses of held-out rows, one for each row: those of the net, of a constant, and of a linear model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array, all_finite
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.metrics import decide
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.workflows.verdicts.linear import CATEGORIES, LinearInputs, LinearModel, Logistic, Ridge

MOST_ROWS = 20_000  # rows that are judged, or that simple models are fitted to
MOST_CELLS = 1_000_000  # numbers in the inputs of a linear model
MOST_INPUTS = 1_000  # inputs of a linear model


@dataclass(frozen=True)
class RowLosses:
    """The losses of held-out rows, each (rows,); `linear` is None where no linear model was fitted.

    For classes, `truth` and `decided` (rows,) are the true and the predicted class.
    """

    net: Array
    constant: Array
    linear: Array | None
    weight: Array | None
    group: Array | None
    member: Array | None
    truth: Array | None
    decided: Array | None

    @property
    def units(self) -> tuple[Array | None, Array | None, Array | None]:
        """What the variance of a mean depends on, besides the values: weights, groups and members."""
        return self.weight, self.group, self.member

    @property
    def total_weight(self) -> float:
        """The weight of all rows."""
        return float(len(self.net) if self.weight is None else self.weight.sum(dtype=np.float64))


def losses_by_split(experiment: Experiment) -> dict[str, RowLosses]:
    """Return the losses of the validation and the test rows, of at most `MOST_ROWS` each."""
    held_out = {split: rows for split, rows in experiment.splits.items() if split != "train"}
    if not held_out:
        return {}
    with thread_limit(1), np.errstate(all="ignore"):  # the matrices are small
        simple = SimpleModels(experiment)
        most = min(MOST_ROWS, 4 * simple.most_rows)
        return {split: _losses(experiment, _some(rows, most), simple) for split, rows in held_out.items()}


def _losses(experiment: Experiment, rows: EncodedRows, simple: SimpleModels) -> RowLosses:
    predictor = experiment.predictor
    y_hat = predictor.model.predict(rows.X, member=rows.member)
    constant, linear = simple.outputs(rows)
    truth = rows.truth if predictor.encoder.classes else None
    return RowLosses(
        _row_losses(predictor.config.loss, y_hat, rows.y),
        _row_losses(predictor.config.loss, constant, rows.y),
        None if linear is None else _row_losses(predictor.config.loss, linear, rows.y),
        rows.weight,
        rows.units,
        rows.member,
        truth,
        None if truth is None else decide(predictor.config.loss.answer(y_hat), predictor.decision.threshold),
    )


def _row_losses(loss: Loss, y_hat: Array, y: Array) -> Array:
    """Return the loss of each row (rows,) in float64."""
    context = Context(np.float64)
    context.begin(len(y))
    return np.array(loss.forward(y_hat.astype(np.float64), y.astype(np.float64), context)[0])


class SimpleModels:
    """A constant and a linear model, fitted to the training rows of an experiment.

    Where each member of the net was trained on other rows, so are these, one for each member.
    """

    def __init__(self, experiment: Experiment) -> None:
        rows = experiment.splits["train"]
        codes = [table[0] for table in experiment.predictor.encoder.lookups]
        n_inputs = rows.X.shape[1] + CATEGORIES * len(codes)
        self.most_rows = min(MOST_ROWS, MOST_CELLS // max(n_inputs, 1))
        self._loss, self._chosen = experiment.config.loss, _places(len(rows), self.most_rows)
        self._rows = rows.take(self._chosen)
        self._weight = np.ones(len(self._chosen)) if self._rows.weight is None else self._rows.weight.astype(np.float64)
        self._seen = self._seen_by_member(experiment)
        self._linear: LinearModel | None = None
        kind = _linear_model(self._loss)
        if kind is None or n_inputs > MOST_INPUTS:
            return
        self._inputs = LinearInputs(self._rows.X, codes)
        A = self._inputs.matrix(self._rows.X)
        if all_finite(A):
            self._linear = kind(A, self._rows.y.astype(np.float64), self._weight)

    def _seen_by_member(self, experiment: Experiment) -> Array | None:
        """Return which of the rows each member was trained on, (rows, members); None if all members saw all rows."""
        folds = experiment.splits["train"].folds
        return None if folds is None else folds.trains[self._chosen]

    def outputs(self, rows: EncodedRows) -> tuple[Array, Array | None]:
        """Return the outputs of both models for held-out rows, (rows, outputs) each."""
        constant, linear = np.empty(rows.y.shape), np.empty(rows.y.shape)
        for places, seen in self._nets(rows):
            constant[places] = self._constant(seen)
        if self._linear is None:
            return constant, None
        A = self._inputs.matrix(rows.X)
        for places, seen in self._nets(rows):
            fitted = self._linear.coefficients if seen is None else self._linear.fitted_to(seen)
            linear[places] = self._linear.outputs(A[places], fitted)
        return constant, linear

    def _nets(self, rows: EncodedRows) -> Iterator[tuple[Array | slice, Array | None]]:
        """Yield the places of held-out rows that one net predicts, and which rows it was trained on."""
        if rows.member is None or self._seen is None:
            yield slice(None), None
            return
        for member in np.unique(rows.member).tolist():
            yield np.flatnonzero(rows.member == member), self._seen[:, member]

    def _constant(self, seen: Array | None) -> Array:
        """Return the best constant outputs for the loss, (outputs,): quantiles or means."""
        y, weight, levels = self._rows.y.astype(np.float64), self._weight, self._loss.constant_levels()
        if seen is not None:
            y, weight = y[seen], weight[seen]
        if not levels:
            return np.asarray(np.average(y, axis=0, weights=weight))
        quantiles = np.quantile(y, levels, axis=0, weights=weight, method="inverted_cdf")
        at = np.arange(y.shape[1])
        return np.asarray(quantiles[at % len(levels), at])


def _linear_model(loss: Loss) -> type[Ridge] | type[Logistic] | None:
    """Return the kind of linear model that minimizes a loss; None if there is none."""
    if isinstance(loss, MSE):
        return Ridge
    return Logistic if isinstance(loss, BinaryCrossEntropy | CrossEntropy) else None


def _some(rows: EncodedRows, most: int) -> EncodedRows:
    return rows if len(rows) <= most else rows.take(_places(len(rows), most))


def _places(n: int, most: int) -> Array:
    """Return the places of at most this many of n rows, evenly spaced."""
    return np.linspace(0, n - 1, min(n, most)).astype(np.intp)
