"""A slider over the thresholds between two classes: what each of them does, in numbers and on the curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnfs_cli.metrics.ranking_curve import RankingCurve
from nnfs_cli.report.blocks import Widget
from nnfs_cli.report.page import JsonBlock

CHOSEN_ROC, CHOSEN_PRECISION = "chosen-roc", "chosen-precision"  # the ids of the marks that follow the slider
STEPS = 200  # of the slider, from 0 to 1


def slider(curve: RankingCurve, labels: Sequence[str], threshold: float, decided: bool) -> Widget:
    """Return the slider over the curve of the second of two classes, which begins at a threshold.

    `decided` says that the run keeps this threshold. Without scripts, the figures of that threshold are shown.
    """
    thresholds = np.union1d(np.arange(STEPS + 1) / STEPS, [threshold])
    counts = [curve.at(each) for each in thresholds.tolist()]
    start = int(np.searchsorted(thresholds, threshold))
    data = {
        "thresholds": thresholds.tolist(),
        "hits": [hits for hits, _ in counts],
        "falseAlarms": [false_alarms for _, false_alarms in counts],
        "ofClass": float(curve.hits[-1]),
        "others": float(curve.false_alarms[-1]),
        "marks": {"roc": CHOSEN_ROC, "precision": CHOSEN_PRECISION},
    }
    values = {
        "data": JsonBlock("threshold-data", data),
        "labels": labels,
        "start": start,
        "last": len(thresholds) - 1,
        "threshold": threshold,
        "decided": decided,
        "cells": _cells(curve, threshold),
        "figures": _figures(curve, threshold),
    }
    return Widget("threshold.html", values, ["threshold.js"])


def _cells(curve: RankingCurve, threshold: float) -> list[list[str]]:
    """Return the confusion matrix: rows are the true class, columns the predicted one."""
    hits, false_alarms = curve.at(threshold)
    matrix = [[curve.false_alarms[-1] - false_alarms, false_alarms], [curve.hits[-1] - hits, hits]]
    return [[f"{round(float(cell), 1):,.10g}" for cell in row] for row in matrix]


def _figures(curve: RankingCurve, threshold: float) -> dict[str, str]:
    hits, false_alarms = curve.at(threshold)
    of_class, others = float(curve.hits[-1]), float(curve.false_alarms[-1])
    shares = {
        "accuracy": (hits + others - false_alarms) / (of_class + others),
        "precision": hits / (hits + false_alarms) if hits + false_alarms else None,
        "recall": hits / of_class,
        "F1": 2 * hits / (hits + false_alarms + of_class),
    }
    return {name: "-" if share is None else f"{share:.4f}" for name, share in shares.items()}
