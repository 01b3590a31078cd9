"""A net together with the encoder of its tables: everything needed to train, evaluate and predict."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.blend import Blend
from nnfs_cli.config.config import Config
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.inputs import FoldsByColumn
from nnfs_cli.data.table import Column, Table, text_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.data.weighted import exposures
from nnfs_cli.errors import DataError
from nnfs_cli.metrics import PredictedRows, decide
from nnfs_cli.metrics.base import decide_labels
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.model import Model
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.prediction.decision import Decision, Interval
from nnfs_cli.prediction.encoded_rows import EncodedRows, concatenate_predictions
from nnfs_cli.system.random import member_streams

MoreColumns = Callable[[Table, Array, Array], dict[str, Column]]


class Predictor:
    """A net for the columns of a table, trained or not yet.

    Its parameters are drawn by the seed of the config, or all 0 if not `drawn`. `decision` says how outputs become
    predictions. A `blend` of other models joins the net when it is trained.
    """

    def __init__(self, config: Config, encoder: Encoder, drawn: bool = True, decision: Decision | None = None) -> None:
        self.config, self.encoder, self.decision = config, encoder, decision or Decision()
        self.blend: Blend | None = None
        rngs = member_streams(config.members, config.edition, config.seed, "weights")
        tables = tuple(EmbeddingTable(*table) for table in encoder.lookups)
        self.model = Model(
            config.layers,
            config.loss,
            (len(encoder.names),),
            config.dtype or "float32",
            rngs if drawn else None,
            Embedding(tables=tables) if tables else None,
            config.members,
        )

    def with_threshold(self, threshold: float | None) -> Self:
        """Return a predictor with the same net and another threshold between two classes."""
        return self._deciding(replace(self.decision, threshold=threshold))

    def with_decision(self, decision: Mapping[str, Any] | None) -> Self:
        """Return a predictor with the same net that decides as a run has kept it; None for the usual thresholds."""
        if decision is None:
            return self._deciding(replace(self.decision, threshold=None, thresholds={}))
        thresholds = {target: rule["threshold"] for target, rule in decision.get("targets", {}).items()}
        return self._deciding(replace(self.decision, threshold=decision.get("threshold"), thresholds=thresholds))

    def with_interval(self, interval: Interval | None) -> Self:
        """Return a predictor with the same net that adds prediction intervals."""
        return self._deciding(replace(self.decision, interval=interval))

    def with_metrics(self, given: Iterable[Any]) -> Self:
        """Return a predictor with the same net and other metrics; see `Config.with_metrics`."""
        other = copy.copy(self)
        other.config = self.config.with_metrics(given)
        return other

    def _deciding(self, decision: Decision) -> Self:
        other = copy.copy(self)
        other.decision = decision
        return other

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of the classes as texts, if there are classes."""
        return tuple(map(text_of, self.encoder.classes or ()))

    @property
    def names_of_outputs(self) -> tuple[str, ...]:
        """What metrics call the columns of probabilities: the classes, or the targets if each is two classes."""
        return self.encoder.targets if self.encoder.pairs else self.labels

    @property
    def row_bytes(self) -> int:
        """Bytes of one training row: its inputs, its outputs and its weight."""
        return self.model.dtype.itemsize * (self.model.input_shape[0] + self.model.output_shape[0] + 1)

    @property
    def ignored_columns(self) -> frozenset[str | None]:
        """The columns of a table that predictions ignore without a warning."""
        dataset, split = self.config.dataset, self.config.split
        named = {*dataset.target_columns(), *dataset.dropped_columns(), *split.columns, dataset.weight_column()}
        return frozenset({*named, dataset.exposure_column()})

    def encode(self, table: Table, folds: FoldsByColumn | None = None) -> EncodedRows:
        """Return the rows of a table that has the target. Raises `DataError` for a missing column or an unusable cell.

        If the table lacks the column of weights, all rows count alike. For training rows, `folds` assigns each row to
        a fold of the preprocessing steps that are fitted out of fold.
        """
        loss, dtype = self.config.loss, self.model.dtype
        truth, scaled = self.encoder.encode_target(table, dtype, loss.target_range)
        y = loss.encode(scaled, self.model.output_shape[0]).astype(dtype)
        column = self.config.dataset.weight_column()
        column = column if column is not None and table.has(column) else None
        weight = self.encoder.weights(table, truth, column, dtype)
        return EncodedRows(self.encoder.encode(table, dtype, folds), y, truth, weight)

    def outputs_for(self, X: Array, member: Array | None = None) -> Array:
        """Return the outputs (rows, n) for inputs (rows, features): those of the net, or of its blend if it has one.

        `member` (rows,) is the member that predicts each row; None if all members do together.
        """
        y_hat = self.model.predict(X, member=member)
        if self.blend is None:
            return y_hat
        loss = self.config.loss
        return loss.from_pool(self.blend.outputs(X, loss.to_pool(y_hat), member))

    def evaluate(self, rows: EncodedRows | Iterable[EncodedRows]) -> tuple[float, PredictedRows]:
        """Return the training loss over the rows, and their predictions in the target's own units.

        Rows may come in blocks, at least one; then only what metrics need is kept of each.
        """
        blocks = [rows] if isinstance(rows, EncodedRows) else rows
        total = total_weight = 0.0
        kept: list[tuple[Array, Array, Array | None, Array | None]] = []
        for block in blocks:
            loss, y_hat = self._loss_and_outputs(block)
            weight = float(len(block) if block.weight is None else block.weight.sum(dtype=np.float64))
            total += loss * weight if weight else 0.0
            total_weight += weight
            kept.append((block.truth, y_hat, block.weight, block.units))
        return total / total_weight if total_weight else math.nan, self.predicted(*concatenate_predictions(kept))

    def predicted(self, truth: Array, y_hat: Array, weight: Array | None, group: Array | None) -> PredictedRows:
        """Return outputs (rows, n) of the net as predictions in the target's own units, with the truth of the rows.

        `truth` is that of `EncodedRows`, and `group` (rows,) are its `units`.
        """
        answer, quantiles = self.answer(y_hat), self._quantiles(y_hat)
        return PredictedRows(truth, answer, weight, self.label_thresholds, self.names_of_outputs, quantiles, group)

    def _loss_and_outputs(self, rows: EncodedRows) -> tuple[float, Array]:
        if self.blend is None:
            return self.model.evaluate(rows.X, rows.y, rows.weight, member=rows.member)
        y_hat = self.outputs_for(rows.X, rows.member)
        return self.model.loss_of(y_hat, rows.y, rows.weight), y_hat

    def own_weight(self, weight: Array | None, truth: Array) -> Array | None:
        """Return the weights (rows,) of rows of these classes (rows,) without the class weights.

        Class weights are a means of training: how often the classes occur, and what a decision costs, is without them.
        """
        by_class = self.encoder.class_weights
        return weight if weight is None or not by_class else weight / np.array(by_class)[truth]

    def figures(self, rows: EncodedRows) -> dict[str, float]:
        """Return the training loss over the rows and every metric of the config, in the target's own units."""
        loss, predicted = self.evaluate(rows)
        return {"loss": loss, **self.score(predicted)}

    def score(self, predicted: PredictedRows) -> dict[str, float]:
        """Return every metric of the config for predicted rows."""
        figures: dict[str, float] = {}
        for metric in self.config.metrics or ():
            figures |= {column: float(figure) for column, figure in metric.figures(predicted).items()}
        return figures

    def predict(self, table: Table, marks: Array | None = None, more: MoreColumns | None = None) -> dict[str, Column]:
        """Return the predictions for a table as named columns, each (rows,).

        Classes: `prediction`, the label; and `probability_<label>` for each class, or `score_<label>` if the loss gives
        no probabilities. Several targets of two classes: `prediction_<target>`, the label, and `probability_<target>`
        of the second label of each. Numbers: `prediction`, or `prediction_<target>` if there are several targets, and
        likewise `quantile_<level>` for each quantile. Counts with an exposure: `prediction`, the `rate` times the
        exposure, or the rate if the table has no column of exposures. An interval adds `lower` and `upper`, or `set`:
        labels joined by |.

        With `marks` (rows,), rows that cannot be used are marked there and their predictions mean nothing; without it,
        the first of them raises `DataError`. What `more` returns for the table and the inputs (rows, features) and
        outputs (rows, n) of the net is added.
        """
        X, y_hat = self._predict(table, marks)
        columns = self.named(X, y_hat, self._exposures(table, marks))
        return columns if more is None else columns | more(table, X, y_hat)

    def predict_parts(self, table: Table, sizes: Iterable[int], marks: Array) -> list[dict[str, Column]]:
        """Return the predictions for consecutive parts of a table, each as `predict` gives them for its rows alone.

        The rows are encoded together. Each part passes through the net by itself, since a product of other sizes may be
        rounded in another way. Rows that cannot be used are marked, (rows,).
        """
        X = self.encoder.encode(table, self.model.dtype, marks=marks)
        exposure, ends = self._exposures(table, marks), [*accumulate(sizes, initial=0)]
        parts = [slice(start, end) for start, end in pairwise(ends)]
        y_hat = np.concatenate([self.model.predict(X[rows]) for rows in parts])
        if self.blend is not None:
            loss = self.config.loss
            y_hat = loss.from_pool(self.blend.outputs_of_parts(X, loss.to_pool(y_hat), parts))
        _check_finite(y_hat, table, marks)
        return [self.named(X[rows], y_hat[rows], None if exposure is None else exposure[rows]) for rows in parts]

    def named(self, X: Array, y_hat: Array, exposure: Array | None = None) -> dict[str, Column]:
        """Return what `predict` returns, for inputs (rows, features) and outputs (rows, n) of the net.

        `exposure` (rows,) is that of the rows, if there is a column for it.
        """
        answer, targets = self.answer(y_hat), self.encoder.targets
        if self.encoder.classes:
            return self._class_columns(answer)
        if self.encoder.pairs:
            return self._label_columns(answer)
        if self.encoder.exposure is not None:
            named = {"prediction": answer if exposure is None else answer * exposure[:, None], "rate": answer}
        else:
            named = {"prediction": answer}
        named |= {f"quantile_{q}": values for q, values in self._quantiles(y_hat).items()}
        if self.decision.interval is not None:
            named["lower"], named["upper"] = self._interval(X, y_hat)
        suffixes = [""] if len(targets) == 1 else [f"_{target}" for target in targets]
        return {name + suffix: values[:, i] for name, values in named.items() for i, suffix in enumerate(suffixes)}

    def outputs(self, table: Table) -> Array:
        """Return probabilities or scores (rows, n_classes), or numbers in the target's own units (rows, n_targets).

        Raises `DataError` for the first row that cannot be used.
        """
        answer, exposure = self.answer(self._predict(table, None)[1]), self._exposures(table, None)
        return answer if exposure is None else answer * exposure[:, None]

    def quantiles(self, table: Table) -> Array:
        """Return the quantiles in the target's own units, (rows, n_targets, levels of the loss).

        Raises `DataError` for the first row that cannot be used.
        """
        return np.stack([*self._quantiles(self._predict(table, None)[1]).values()], axis=-1)

    def bounds(self, table: Table) -> Array:
        """Return the interval around each number in the target's own units, (rows, n_targets, 2): lower and upper.

        Raises `DataError` for the first row that cannot be used, and `UserError` if too few rows were held out for the
        level of the interval.
        """
        return np.stack(self._interval(*self._predict(table, None)), axis=-1)

    def class_sets(self, table: Table) -> Array:
        """Return for each class whether it is in the set of a row, (rows, n_classes).

        Raises `DataError` for the first row that cannot be used, and `UserError` if too few rows were held out for the
        level of the sets.
        """
        return self._sets(self.answer(self._predict(table, None)[1]))

    def covers(self, rows: EncodedRows) -> Array:
        """Return whether the interval, or the set of classes, of each row holds the truth, (rows, targets).

        Raises `UserError` if too few rows were held out for the level.
        """
        y_hat = self.outputs_for(rows.X, rows.member)
        if self.encoder.classes:
            return self._sets(self.answer(y_hat))[np.arange(len(rows)), rows.truth][:, None]
        low, high = self._interval(rows.X, y_hat)
        return (low <= rows.truth) & (rows.truth <= high)

    def _sets(self, answer: Array) -> Array:
        """Return for each class whether it is in the set of a row, (rows, n_classes), for probabilities."""
        interval = self.decision.interval
        if interval is None or not isinstance(interval.calibration, ClassCalibration):
            raise ValueError("the predictor has no calibration of classes")
        decided = decide(answer, self.decision.threshold)
        return interval.calibration.members(interval.calibration.scale(answer), interval.level, decided)

    def _interval(self, X: Array, y_hat: Array) -> tuple[Array, Array]:
        """Return lower and upper bounds in the target's own units, (rows, n_targets) each, for inputs and outputs."""
        interval = self.decision.interval
        if interval is None or not isinstance(interval.calibration, NumberCalibration):
            raise ValueError("the predictor has no calibration of numbers")
        return interval.calibration.interval(self.encoder, X, y_hat, self.answer(y_hat), interval.level)

    def _predict(self, table: Table, marks: Array | None) -> tuple[Array, Array]:
        """Return the inputs and the outputs of the net."""
        X = self.encoder.encode(table, self.model.dtype, marks=marks)
        y_hat = self.outputs_for(X)
        _check_finite(y_hat, table, marks)
        return X, y_hat

    def _exposures(self, table: Table, marks: Array | None) -> Array | None:
        """Return the exposures of rows (rows,), 1 where a row is marked; None if the table has none.

        Raises `DataError` for the first number that is not above 0, unless there are `marks`.
        """
        column = self.encoder.exposure
        if column is None or not table.has(column):
            return None
        if marks is None:
            return exposures(table, column)
        found = table.numbers(column, gaps=True)
        marks |= ~(found > 0)
        return np.where(found > 0, found, 1.0)

    def _class_columns(self, answer: Array) -> dict[str, Column]:
        classes, interval = self.encoder.classes or (), self.decision.interval
        decided = decide(answer, self.decision.threshold)
        texts = isinstance(classes[0], str)
        columns: dict[str, Column] = {
            "prediction": Texts(decided, np.array(classes, object)) if texts else np.array(classes)[decided]
        }
        if interval is not None and isinstance(interval.calibration, ClassCalibration):
            answer = interval.calibration.scale(answer)
            columns["set"] = interval.calibration.sets(answer, self.labels, interval.level, decided)
        kind = "probability" if self.config.loss.probabilistic else "score"
        return columns | {f"{kind}_{label}": column for label, column in zip(self.labels, answer.T, strict=True)}

    @property
    def label_thresholds(self) -> float | Array | None:
        """The threshold between two classes, or those of all targets, (targets,); None if each is the usual one."""
        thresholds = self.decision.thresholds
        if not thresholds:
            return self.decision.threshold
        return np.array([thresholds.get(target, 0.5) for target in self.encoder.targets])

    def _label_columns(self, answer: Array) -> dict[str, Column]:
        """Return the label of each target, and the probability of the second of its two."""
        columns: dict[str, Column] = {}
        decided = decide_labels(answer, self.label_thresholds)
        for i, (target, pair) in enumerate(zip(self.encoder.targets, self.encoder.pairs, strict=True)):
            texts = isinstance(pair[0], str)
            labels = np.array(pair, object if texts else None)
            columns[f"prediction_{target}"] = Texts(decided[:, i], labels) if texts else labels[decided[:, i]]
        probabilities = {f"probability_{target}": answer[:, i] for i, target in enumerate(self.encoder.targets)}
        return columns | probabilities

    def answer(self, y_hat: Array) -> Array:
        """Return outputs as one column for each class, or for each target in its own units."""
        return self.encoder.unscale_target(self.config.loss.answer(y_hat))

    def _quantiles(self, y_hat: Array) -> dict[float, Array]:
        """Return the quantiles in outputs by level, in the target's own units."""
        quantiles = self.config.loss.quantiles(y_hat)
        return {level: self.encoder.unscale_target(values) for level, values in quantiles.items()}


def _check_finite(y_hat: Array, table: Table, marks: Array | None) -> None:
    """Mark the rows with an output that is not finite, or raise `DataError` for the first of them."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(y_hat.sum(dtype=np.float64)):  # a sum is fast, and not finite if any number is not
            return
    wrong = ~np.isfinite(y_hat.reshape(len(y_hat), -1)).all(axis=1)
    if marks is not None:
        marks |= wrong
    elif wrong.any():
        place, _ = table.locate(int(np.argmax(wrong)), next(iter(table.columns)))
        raise DataError(f"{table.name}, {place}: the net's output is not a finite number; its inputs may be too large")
