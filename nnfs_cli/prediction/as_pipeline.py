"""Write a trained predictor as a pipeline: a list of operations from cells to predictions."""

from __future__ import annotations

from typing import cast as typed

from nnfs_cli.pipeline.cells import ColumnKind, column
from nnfs_cli.pipeline.elementwise import cast, is_finite, less_equal, logical_and
from nnfs_cli.pipeline.labels import label_of
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.shapes import all_last, argmax_last, take
from nnfs_cli.pipeline.value import Value
from nnfs_cli.prediction.predictor import Predictor


def as_pipeline(predictor: Predictor) -> Pipeline:
    """Return the pipeline of a predictor: its columns, and what `Predictor.predict` returns for them.

    Raises `ExportError` for a part that does not say what it computes.
    """
    columns = {name: column(name, typed(ColumnKind, kind)) for name, kind in predictor.encoder.kinds.items()}
    X, usable = predictor.encoder.operations(columns, predictor.model.parameter_type)
    y_hat = predictor.model.operations(X)
    usable = logical_and(usable, all_last(is_finite(y_hat)))
    return Pipeline(columns, _outputs(predictor, y_hat), usable, X)


def _outputs(predictor: Predictor, y_hat: Value) -> dict[str, Value]:
    answer = predictor.config.loss.answer_operations(y_hat)
    if predictor.encoder.classes:
        return _class_outputs(predictor, answer)
    numbers = predictor.encoder.target.inverse_operations(cast(answer, "float64"))
    targets = predictor.encoder.targets
    suffixes = [""] if len(targets) == 1 else [f"_{target}" for target in targets]
    return {f"prediction{suffix}": take(numbers, [i]) for i, suffix in enumerate(suffixes)}


def _class_outputs(predictor: Predictor, answer: Value) -> dict[str, Value]:
    threshold = predictor.decision.threshold
    if threshold is None:
        decided = argmax_last(answer)
    else:
        decided = cast(less_equal(threshold, cast(take(answer, [1]), "float64")), "int64")
    kind = "probability" if predictor.config.loss.probabilistic else "score"
    each = {f"{kind}_{label}": take(answer, [k]) for k, label in enumerate(predictor.labels)}
    return {"prediction": label_of(decided, predictor.encoder.classes or ()), **each}
