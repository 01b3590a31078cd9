"""Predict the rows of a file, or of a table given in Python, with a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from nnfs_cli.data.several_files import all_rows_for
from nnfs_cli.errors import UserError
from nnfs_cli.prediction.batch_predict import BatchPredictor, OnError
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.load_run import calibration_of, restore


def predict(run: RunDirectory, rows: Any, weights: str = "best") -> dict[str, Any]:
    """Return the predictions for every row of a file or a table, as named columns; see `Predictor.predict`."""
    return batch_predictor(run, rows, weights).all()


def batch_predictor(
    run: RunDirectory,
    rows: Any,
    weights: str = "best",
    *,
    on_error: OnError = "stop",
    keep: Sequence[str] | Literal["all"] = (),
    drift: bool = False,
    interval: float | None = None,
) -> BatchPredictor:
    """Return an iterable that predicts rows block by block; see `all_rows_for`. The path "-" is stdin.

    A list of paths is read one after the other, and the column `file` of the predictions names them.

    `interval` is that of `predictor_of`; the other options are those of `BatchPredictor`. No file is read before the
    first block is asked for. Raises the errors of `predictor_of` and `all_rows_for`.
    """
    predictor = predictor_of(run, weights, interval)
    source = all_rows_for(rows, predictor.config.dataset)
    return BatchPredictor(predictor, run.records.data()["inputs"], source, on_error, keep, drift)


def predictor_of(run: RunDirectory, weights: str = "best", interval: float | None = None) -> Predictor:
    """Return the trained net of a run, see `restore`.

    `interval`, a probability such as 0.9, adds intervals or sets of classes that hold the truth with this probability.
    Raises `RunError` if the run is damaged, or has no calibration although an interval is asked for.
    """
    predictor = restore(run, weights)
    if interval is not None:
        if weights != "best":
            raise UserError(f"intervals are calibrated for the best weights, not for {weights}")
        predictor = predictor.with_interval(Interval.at(interval, calibration_of(run, predictor), predictor.labels))
    return predictor
