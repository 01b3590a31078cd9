"""A trained predictor as a pipeline: a list of operations from cells to predictions."""

from __future__ import annotations

from functools import reduce
from typing import cast as typed

import numpy as np

from nnfs_cli.pipeline.cells import ColumnKind, column
from nnfs_cli.pipeline.elementwise import cast, is_finite, less, less_equal, logical_and, multiply
from nnfs_cli.pipeline.labels import joined_labels, label_of
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.shapes import all_last, argmax_last, take
from nnfs_cli.pipeline.value import Value
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.prediction.predictor import Predictor

Outputs = dict[str, Value]


def as_pipeline(predictor: Predictor) -> Pipeline:
    """Return the pipeline of a predictor: its columns, and what `Predictor.predict` returns for them.

    The column of exposures is an input, too; where there is none, an exposure of 1 makes each prediction the rate.
    Raises `ExportError` for a part that does not say what it computes, and `UserError` if too few rows were held out
    for the level of an interval.
    """
    encoder = predictor.encoder
    columns = {name: column(name, typed(ColumnKind, kind)) for name, kind in encoder.kinds.items()}
    X, usable = encoder.operations(columns, predictor.model.parameter_type)
    y_hat = _net_outputs(predictor, X)
    with part("usable outputs"):
        conditions = [usable, all_last(is_finite(y_hat))]
    exposure = None
    if encoder.exposure is not None:
        exposure = columns.setdefault(encoder.exposure, column(encoder.exposure, "number"))
        with part("usable exposure"):
            conditions.append(less(0, exposure))
    with part("usable rows"):
        usable = reduce(logical_and, conditions)
    return Pipeline(columns, _named(predictor, X, y_hat, exposure), usable, X)


def _net_outputs(predictor: Predictor, X: Value) -> Value:
    """Return the outputs (n,) of the net, or of its blend if it has one."""
    loss, y_hat = predictor.config.loss, predictor.model.operations(X)
    loss.require_operations()
    if predictor.blend is None:
        return y_hat
    return loss.from_pool_operations(predictor.blend.operations(X, loss.to_pool_operations(y_hat)))


def _named(predictor: Predictor, X: Value, y_hat: Value, exposure: Value | None) -> Outputs:
    """Return the columns of predictions by name, as `Predictor.named` does."""
    loss, encoder = predictor.config.loss, predictor.encoder
    if not encoder.classes and not encoder.pairs:
        return _number_columns(predictor, X, y_hat, exposure)
    with part("probabilities" if loss.probabilistic else "scores"):
        answer = loss.answer_operations(y_hat)
    return _class_columns(predictor, answer) if encoder.classes else _label_columns(predictor, answer)


def _class_columns(predictor: Predictor, answer: Value) -> Outputs:
    """Return the label, the set of labels if there is one, and the probability or the score of each class."""
    interval, threshold = predictor.decision.interval, predictor.decision.threshold
    with part("decision"):
        decided = argmax_last(answer) if threshold is None else _at_least(take(answer, [1]), threshold)
        columns = {"prediction": label_of(decided, predictor.encoder.classes or ())}
    if interval is not None and isinstance(interval.calibration, ClassCalibration):
        with part("calibrated probabilities"):
            answer = interval.calibration.scale_operations(answer)
        with part("set of classes"):
            inside = interval.calibration.member_operations(answer, interval.level, decided)
            columns["set"] = joined_labels(inside, predictor.labels)
    kind = "probability" if predictor.config.loss.probabilistic else "score"
    return columns | {f"{kind}_{label}": take(answer, [k]) for k, label in enumerate(predictor.labels)}


def _label_columns(predictor: Predictor, answer: Value) -> Outputs:
    """Return the label of each target, and the probability of the second of its two."""
    thresholds, targets = predictor.label_thresholds, predictor.encoder.targets
    with part("decision"):
        decided = _at_least(answer, 0.5 if thresholds is None else thresholds)
        pairs = enumerate(zip(targets, predictor.encoder.pairs, strict=True))
        labels = {f"prediction_{target}": label_of(take(decided, [i]), pair) for i, (target, pair) in pairs}
    return labels | {f"probability_{target}": take(answer, [i]) for i, target in enumerate(targets)}


def _at_least(p: Value, threshold: float | np.ndarray) -> Value:
    """Return 1 where a probability is at least the threshold, else 0, compared in float64."""
    return cast(less_equal(threshold, cast(p, "float64")), "int64")


def _number_columns(predictor: Predictor, X: Value, y_hat: Value, exposure: Value | None) -> Outputs:
    """Return the number that is predicted for each target, its rate, its quantiles and its interval."""
    encoder, interval = predictor.encoder, predictor.decision.interval
    answer, quantiles = _in_units(predictor, y_hat)
    named = {"prediction": answer}
    if exposure is not None:
        with part("prediction"):
            named = {"prediction": multiply(answer, exposure), "rate": answer}
    named |= quantiles
    if interval is not None and isinstance(interval.calibration, NumberCalibration):
        with part("interval"):
            bounds = interval.calibration.interval_operations(encoder, X, y_hat, answer, interval.level)
        named["lower"], named["upper"] = bounds
    suffixes = [""] if len(encoder.targets) == 1 else [f"_{target}" for target in encoder.targets]
    return {name + suffix: take(one, [i]) for name, one in named.items() for i, suffix in enumerate(suffixes)}


def _in_units(predictor: Predictor, y_hat: Value) -> tuple[Value, Outputs]:
    """Return the answer (targets,) and the quantiles (targets,) in the target's own units."""
    loss, target = predictor.config.loss, predictor.encoder.target
    with part("prediction"):
        answer = target.inverse_operations(cast(loss.answer_operations(y_hat), "float64"))
    with part("quantiles"):
        quantiles = loss.quantile_operations(y_hat).items()
        return answer, {f"quantile_{q}": target.inverse_operations(cast(one, "float64")) for q, one in quantiles}
