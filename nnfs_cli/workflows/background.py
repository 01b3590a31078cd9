"""The training rows that the predictions of a run are explained by, from the run or from its data."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.experiment.encode_splits import encode_splits
from nnfs_cli.prediction.background import draw_background
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.load_run import data_of


def background_of(run: RunDirectory, predictor: Predictor) -> Array:
    """Return inputs of the net for some training rows, (rows, features): those that the run keeps.

    If it keeps none, the data of the run is read again. Raises `DataError` if that is missing or has changed.
    """
    kept = run.arrays.background(predictor.model.input_shape[0])
    if kept is not None:
        return kept
    n = int(Config.model_fields["background"].default)
    remedy = f"train again with background: {n}, so that the run keeps the rows that explanations need"
    train = encode_splits(predictor, data_of(run, predictor.config, remedy))["train"]
    return draw_background(predictor, train, n)
