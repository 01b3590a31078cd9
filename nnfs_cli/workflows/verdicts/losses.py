"""The losses of held-out rows, one for each row: those of the net, of a constant, and of a linear model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array, all_finite, evenly_spaced
from nnfs_cli.data.weighted import as_counts
from nnfs_cli.metrics import decide
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.workflows.verdicts.linear import CATEGORIES, LinearInputs, LinearModel, Logistic, Ridge

MOST_ROWS = 20_000  # rows that are judged, or that simple models are fitted to
MOST_NUMBERS = 1_000_000  # in the rows that simple models are fitted to; at most a tenth of all training rows, but
LEAST_NUMBERS = 400_000  # so many if there are
MOST_INPUTS = 1_000  # inputs of a linear model
BLOCK = 50_000  # numbers in the rows that are judged at a time


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


def losses_by_split(predictor: Predictor, splits: Mapping[str, EncodedRows]) -> dict[str, RowLosses]:
    """Return the losses of the validation and the test rows, of at most `MOST_ROWS` each."""
    held_out = {split: rows for split, rows in splits.items() if split != "train"}
    if not held_out:
        return {}
    with thread_limit(1), np.errstate(all="ignore"):  # the matrices are small
        simple = SimpleModels(predictor, splits["train"])
        return {split: _losses(predictor, rows, simple) for split, rows in held_out.items()}


def _losses(predictor: Predictor, rows: EncodedRows, simple: SimpleModels) -> RowLosses:
    """Return the losses of some rows, which are taken a block at a time."""
    chosen = evenly_spaced(len(rows), min(MOST_ROWS, 4 * simple.most_rows))
    n_blocks = -(-len(chosen) * simple.n_numbers // BLOCK)
    rows = replace(rows, group=rows.units)
    blocks = [_of_block(predictor, rows.take(some), simple) for some in np.array_split(chosen, n_blocks)]
    parts = [[getattr(block, field.name) for block in blocks] for field in fields(RowLosses)]
    joined: list[Any] = [None if each[0] is None else np.concatenate(each) for each in parts]
    return RowLosses(*joined)


def _of_block(predictor: Predictor, rows: EncodedRows, simple: SimpleModels) -> RowLosses:
    loss, y_hat = predictor.config.loss, predictor.outputs_for(rows.X, rows.member)
    constant, linear = simple.outputs(rows)
    truth = rows.truth if predictor.encoder.classes else None
    return RowLosses(
        loss.of_rows(y_hat, rows.y),
        loss.of_rows(constant, rows.y),
        None if linear is None else loss.of_rows(linear, rows.y),
        rows.weight,
        rows.group,
        rows.member,
        truth,
        None if truth is None else decide(loss.answer(y_hat), predictor.decision.threshold),
    )


class SimpleModels:
    """A constant and a linear model, fitted to the training rows of a net.

    Where each member of the net was trained on other rows, so are these, one for each member.
    """

    def __init__(self, predictor: Predictor, rows: EncodedRows) -> None:
        folds, codes = rows.folds, [table[0] for table in predictor.encoder.lookups]
        n_inputs = rows.X.shape[1] + CATEGORIES * len(codes)
        self.n_numbers = n_inputs + rows.y.shape[1] + 1
        most_numbers = max(LEAST_NUMBERS, min(MOST_NUMBERS, rows.X.size // 10))
        self.most_rows = max(1, min(MOST_ROWS, most_numbers // self.n_numbers))
        chosen = evenly_spaced(len(rows), self.most_rows)
        self._loss, self._y = predictor.config.loss, rows.y[chosen]
        counts = None if rows.weight is None else as_counts(rows.weight[chosen].astype(np.float64))
        self._weight = np.ones(len(chosen)) if counts is None else counts
        self._seen = None if folds is None else folds.trains[chosen]  # (rows, members)
        self._fitted: dict[int | None, tuple[Array, Array | None]] = {}
        self._linear: LinearModel | None = None
        kind = None if predictor.encoder.pairs else _linear_model(self._loss)
        if kind is None or n_inputs > MOST_INPUTS:
            return
        self._inputs = LinearInputs(rows.X, codes, chosen, self._weight)
        A = self._inputs.matrix(rows.X, chosen)
        if all_finite(A):
            self._linear = kind(A, self._y.astype(np.float64), self._weight)

    def outputs(self, rows: EncodedRows) -> tuple[Array, Array | None]:
        """Return the outputs of both models for held-out rows, (rows, outputs) each."""
        constant, linear = np.empty(rows.y.shape), np.empty(rows.y.shape)
        A = None if self._linear is None else self._inputs.matrix(rows.X)
        for member, places in self._nets(rows):
            constant[places], coefficients = self._fit(member)
            if self._linear is not None and A is not None and coefficients is not None:
                linear[places] = self._linear.outputs(A[places], coefficients)
        return constant, None if A is None else linear

    def _nets(self, rows: EncodedRows) -> Iterator[tuple[int | None, Array | slice]]:
        """Yield the members that predict held-out rows, and the places of these rows; None for all members together."""
        if rows.member is None or self._seen is None:
            yield None, slice(None)
            return
        for member in np.unique(rows.member).tolist():
            yield member, np.flatnonzero(rows.member == member)

    def _fit(self, member: int | None) -> tuple[Array, Array | None]:
        """Return the constant, and the coefficients of the linear model, of the rows that a member was trained on."""
        if member not in self._fitted:
            seen = None if member is None or self._seen is None else self._seen[:, member]
            coefficients = None
            if self._linear is not None:
                coefficients = self._linear.coefficients if seen is None else self._linear.fitted_to(seen)
            self._fitted[member] = self._constant(seen), coefficients
        return self._fitted[member]

    def _constant(self, seen: Array | None) -> Array:
        """Return the best constant outputs for the rows that a member has seen, (outputs,)."""
        kept = slice(None) if seen is None else seen
        return best_constant(self._loss, self._y[kept], self._weight[kept])


def best_constant(loss: Loss, y: Array, weight: Array | None) -> Array:
    """Return the best constant outputs (outputs,) for targets y (rows, outputs): means, or quantiles for the loss."""
    y, levels = y.astype(np.float64), loss.constant_levels()
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
