"""Fit the models that are blended with a trained ensemble, and restore them from a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

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
    plain, n_outputs = predictor.encoder.plain, _pooled_outputs(predictor)
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
    held_out, model, loss = splits["validation"], predictor.model, config.loss
    y_hat = loss.to_pool(model.predict(held_out.X, member=held_out.member))
    return Blend.fit(
        config.blend, rows, y_hat, lambda pooled: model.loss_of(loss.from_pool(pooled), held_out.y, held_out.weight)
    )


def restored_blend(predictor: Predictor, arrays: Mapping[str, Array]) -> Blend:
    """Return the blend of a net from the arrays of a run. Raises `ValueError` if they do not fit the net."""
    config, model = predictor.config, predictor.model
    size = config.members, model.input_shape[0], _pooled_outputs(predictor)
    return Blend.of_arrays(config.blend, arrays, size, bool(predictor.encoder.classes))


def _pooled_outputs(predictor: Predictor) -> int:
    """Return how many outputs each model of a blend has: those of the net, or one for each class."""
    outputs = np.zeros((1, *predictor.model.output_shape))
    return int(predictor.config.loss.to_pool(outputs).shape[-1])
