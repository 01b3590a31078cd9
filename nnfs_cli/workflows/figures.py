"""The figures of a net on some rows, and the confusion table of a classifier."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.data.table import text_of
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.records import ConfusionTable
from nnfs_cli.system.threads import thread_limit

Figures = dict[str, dict[str, float]]  # by split, then by name; "rows" among them


class Scored(NamedTuple):
    """The figures of a net on some rows, their predictions and, for a classifier, its confusion table."""

    figures: dict[str, float]
    confusion: ConfusionTable | None
    predicted: PredictedRows
    labels: Mapping[str, ConfusionTable] | None = None  # the confusion tables of several targets of two classes


def score(
    predictor: Predictor,
    rows: EncodedRows | Iterable[EncodedRows],
    recorded: Mapping[str, float] | None = None,
) -> Scored:
    """Return the number of rows, the loss and every metric of the config over some rows.

    Figures that are `recorded` for as many rows are not computed again.
    """
    with thread_limit(predictor.config.threads):
        loss, predicted = predictor.evaluate(rows)
    table, labels, n = None, None, len(predicted.classes)
    if predictor.encoder.pairs:
        labels = _tables_of_labels(predictor, predicted)
    elif n:
        counts = np.bincount(predicted.y * n + predicted.decided, minlength=n * n).reshape(n, n)
        table = ConfusionTable(predicted.classes, counts)
    if recorded is not None and recorded.get("rows") == len(predicted.y):
        return Scored(dict(recorded), table, predicted, labels)
    return Scored({"rows": len(predicted.y), "loss": loss, **predictor.score(predicted)}, table, predicted, labels)


def _tables_of_labels(predictor: Predictor, predicted: PredictedRows) -> dict[str, ConfusionTable]:
    """Return the confusion table of each of several targets of two classes."""
    tables = {}
    for i, (target, pair) in enumerate(zip(predictor.encoder.targets, predictor.encoder.pairs, strict=True)):
        codes = predicted.y[:, i] * 2 + predicted.decided[:, i]
        tables[target] = ConfusionTable(
            (text_of(pair[0]), text_of(pair[1])), np.bincount(codes, minlength=4).reshape(2, 2)
        )
    return tables


def confusion_tables(scored: Mapping[str, Scored]) -> dict[str, ConfusionTable]:
    """Return the confusion tables by split, of the splits that have one."""
    return {split: found.confusion for split, found in scored.items() if found.confusion is not None}


def finite(figures: Mapping[str, float | None]) -> dict[str, Any]:
    """Return figures for JSON, which has no infinity and no NaN; these become None."""
    return {name: None if value is None or not math.isfinite(value) else value for name, value in figures.items()}
