"""The training rows that the predictions of a run are explained by, from the run or from its data."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.errors import DataError
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
    try:
        loaded = data_of(run, predictor.config, "restore the data")
    except DataError as error:
        lacks = f"{run.path} keeps no training rows for reasons, and its data is missing or has changed"
        raise DataError(f"{lacks}; restore the data, or train again with background: {n}", error.problem) from None
    return draw_background(predictor, encode_splits(predictor, loaded)["train"], n)
