"""How good a net is on some rows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from nnfs_cli.nn.model import ROWS
from nnfs_cli.prediction.predictor import EncodedRows, Predictor
from nnfs_cli.runs.run import Run
from nnfs_cli.system.threads import thread_limit

Figures = dict[str, dict[str, float]]  # by split, then by name; "rows" among them


def judged(
    run: Run, split: str, predictor: Predictor, rows: EncodedRows | Iterable[EncodedRows], weights: str = "best"
) -> dict[str, float]:
    """The figures over some rows; of classes, the confusion matrix is left in the run."""
    with thread_limit(predictor.threads(ROWS)):
        loss, predicted = predictor.judge(rows)
    n = len(predicted.classes)
    if n and run.locked:
        counts = np.bincount(predicted.y * n + predicted.decided, minlength=n * n).reshape(n, n)
        run.write_confusion(split, weights, predicted.classes, counts)
    return {"rows": len(predicted.y), "loss": loss, **predictor.score(predicted)}


def finite(figures: dict[str, float]) -> dict[str, Any]:
    """JSON has no infinity."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
