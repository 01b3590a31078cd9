"""Fit the models that are blended with a trained ensemble, and restore them from a run."""

from __future__ import annotations

from collections.abc import Mapping

from nnfs_cli.arrays import Array
from nnfs_cli.blend.blend import Blend
from nnfs_cli.blend.folded_rows import FoldedRows, Sets
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor


def fit_blend(predictor: Predictor, splits: Mapping[str, EncodedRows]) -> Blend | None:
    """Return the models of the config, fitted to the folds of the training rows; None if it blends none."""
    config, train = predictor.config, splits["train"]
    if not config.blend or train.folds is None:
        return None
    plain, n_outputs = predictor.encoder.plain, predictor.model.output_shape[0]
    rows = FoldedRows(
        train.X,
        train.truth if predictor.encoder.classes else train.y,
        train.weight,
        train.folds,
        Sets.of(train.folds, len(train) * len(plain) * n_outputs),
        n_outputs,
        plain,
        predictor.encoder.codes,
        config.seed,
    )
    held_out, model = splits["validation"], predictor.model
    y_hat = model.predict(held_out.X, member=held_out.member)
    return Blend.fit(config.blend, rows, y_hat, lambda outputs: model.loss_of(outputs, held_out.y, held_out.weight))


def restored_blend(predictor: Predictor, arrays: Mapping[str, Array]) -> Blend:
    """Return the blend of a net from the arrays of a run. Raises `ValueError` if they do not fit the net."""
    config, model = predictor.config, predictor.model
    size = config.members, model.input_shape[0], model.output_shape[0]
    return Blend.of_arrays(config.blend, arrays, size, bool(predictor.encoder.classes))
