"""Predict the rows of a file with a run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from nnfs_cli.data.file_source import source_for
from nnfs_cli.errors import UserError
from nnfs_cli.prediction.batch_predict import BatchPredictor, OnError
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.load_run import restore


def predict(run: RunDirectory, input_file: str | os.PathLike[str], weights: str = "best") -> dict[str, Any]:
    """Return the predictions for every row of a file, as named columns; see `Predictor.predict`."""
    return batch_predictor(run, input_file, weights).all()


def batch_predictor(
    run: RunDirectory,
    input_file: str | os.PathLike[str],
    weights: str = "best",
    *,
    on_error: OnError = "stop",
    keep: Sequence[str] | Literal["all"] = (),
    drift: bool = False,
    interval: float | None = None,
) -> BatchPredictor:
    """Return an iterable that predicts a file of any size block by block; "-" is stdin.

    `interval`, a probability such as 0.9, adds intervals or sets of classes that hold the truth with this probability.
    The other options are those of `BatchPredictor`. Nothing is read before the first block is asked for.
    Raises `RunError` if the run is damaged, or has no calibration although an interval is asked for.
    """
    predictor = restore(run, weights)
    if interval is not None:
        if weights != "best":
            raise UserError(f"intervals are calibrated for the best weights, not for {weights}")
        predictor = predictor.with_interval(Interval(run.records.calibration(), interval))
    source = source_for(Path(input_file), predictor.config.dataset)
    return BatchPredictor(predictor, run.records.data()["inputs"], source, on_error, keep, drift)
