"""How well scores rank the rows: ROC and precision-recall curves of each class against the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.annotations import Mark
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.line import Line
from nnfs_cli.display.text import ROWS_OF, number
from nnfs_cli.metrics.ranking_curve import RankingCurve
from nnfs_cli.report.blocks import Block, Charts, Rows, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.threshold import CHOSEN_PRECISION, CHOSEN_ROC, slider
from nnfs_cli.system.wording import named
from nnfs_cli.workflows.run_predictions import RunPredictions

MOST = 6  # classes with a curve; of more, those with the most rows
WHOLE = (0.0, 1.0)
ROC_NOTE = (
    "The nearer to the upper left corner, the better; the area is the chance that a row of the class ranks higher."
)
PR_NOTE = "The nearer to the upper right corner, the better; it tells more than the ROC curve where the class is rare."


def ranking(facts: RunFacts) -> Section | None:
    """Return the curves of the main held-out split, and for two classes what each threshold does."""
    found = facts.predictions
    if found is None or not found.predictor.labels:
        return None
    split = found.main_split
    lines = curves(found, split) if found.predicted(split).usable else {}
    if not lines:
        return None
    labels, probabilities = found.predictor.labels, found.predictor.config.loss.probabilistic
    decision = found.evaluation.decision
    threshold = (
        (0.5 if decision is None else float(decision["threshold"])) if len(labels) == 2 and probabilities else None
    )
    intro = f"For the {ROWS_OF[split]}. Each class is told from all others by its score."
    if len(labels) > MOST:
        intro += f" The {MOST} classes with the most rows are drawn."
    if threshold is not None:
        second = f"{named(labels[1])}, the second of the two classes,"
        intro = (
            f"For the {ROWS_OF[split]}. A row is predicted as {second} if the probability of that class "
            "reaches a threshold. `nnfs decide` keeps a threshold."
        )
    blocks: list[Block] = [Text(intro)]
    charts = [(roc_chart(lines, threshold), ROC_NOTE), (precision_recall_chart(lines, threshold), PR_NOTE)]
    if threshold is not None:
        curve = lines[labels[1]]
        blocks.append(slider(curve, labels, threshold, decided=decision is not None))
        blocks += [Charts(charts), _trade_offs(found, split, threshold)]
    else:
        blocks.append(Charts(charts))
    if found.predictor.encoder.class_weights:
        blocks.append(
            Text("Here rows do not count by the weights of their classes, which are a means of training.", soft=True)
        )
    return Section("ranking", "Thresholds" if threshold is not None else "Ranking", blocks)


def _trade_offs(found: RunPredictions, split: str, threshold: float) -> Rows:
    """Return what some thresholds do."""
    rows = found.evaluation.trade_offs[split]
    names = ("threshold", "precision", "recall", "predicted")
    strong = frozenset(i for i, row in enumerate(rows) if row["threshold"] == threshold)
    second = found.predictor.labels[1]
    header = ["threshold", f"precision of {second}", f"recall of {second}", f"rows predicted as {second}"]
    return Rows("What some thresholds do", header, [[number(row[name]) for name in names] for row in rows], 0, strong)


def curves(predictions: RunPredictions, split: str) -> dict[str, RankingCurve]:
    """Return the curve of each class by its label: of two classes the second, of many those with the most rows.

    A class without rows, or without others, has none. Rows count by their weights, but not by class weights.
    """
    rows, labels = predictions.predicted(split), predictions.predictor.labels
    counts = np.bincount(rows.y, minlength=len(labels))
    shown = [1] if len(labels) == 2 else sorted(np.argsort(-counts, kind="stable")[:MOST].tolist())
    weight = predictions.weight(split)
    found = {labels[k]: RankingCurve.of(rows.y_hat[:, k], rows.y == k, weight) for k in shown}
    return {label: curve for label, curve in found.items() if curve.defined}


def roc_chart(found: Mapping[str, RankingCurve], threshold: float | None = None) -> Chart:
    """Return the ROC curves; of a single class, with the point of a threshold."""
    lines = [
        Line(curve.false_alarm_rate, curve.recall, f"{label}: area {curve.roc_auc:.3f}")
        for label, curve in found.items()
    ]
    marks = []
    if threshold is not None:
        (curve,) = found.values()
        hits, false_alarms = curve.at(threshold)
        place = false_alarms / float(curve.false_alarms[-1]), hits / float(curve.hits[-1])
        marks.append(Mark(*place, "threshold", id=CHOSEN_ROC))
    chance = Line([0, 1], [0, 1], "chance", quiet=True)
    return Chart(
        "ROC curve",
        "false positive rate (share of the other rows)",
        "true positive rate (recall)",
        [*lines, chance],
        marks,
        x_range=WHOLE,
        y_range=WHOLE,
    )


def precision_recall_chart(found: Mapping[str, RankingCurve], threshold: float | None = None) -> Chart:
    """Return the precision-recall curves; of a single class, with the share of the class and the threshold."""
    lines = []
    for label, curve in found.items():
        recall, precision = steps(curve)
        lines.append(Line(recall, precision, f"{label}: average precision {curve.average_precision:.3f}"))
    marks = []
    if len(found) == 1:
        (curve,) = found.values()
        share = curve.hits[-1] / (curve.hits[-1] + curve.false_alarms[-1])
        lines.append(Line([0, 1], [share, share], "chance", quiet=True))
        if threshold is not None:
            hits, false_alarms = curve.at(threshold)
            at = hits / float(curve.hits[-1]), hits / (hits + false_alarms) if hits + false_alarms else 1.0
            marks.append(Mark(*at, "threshold", id=CHOSEN_PRECISION))
    return Chart(
        "Precision and recall",
        "recall (share of the class that is found)",
        "precision (share of the predictions that are right)",
        lines,
        marks,
        x_range=WHOLE,
        y_range=WHOLE,
    )


def steps(curve: RankingCurve) -> tuple[Array, Array]:
    """Return recall and precision as the corners of steps, whose area is the average precision."""
    return curve.recall.repeat(2)[1:-1], curve.precision[1:].repeat(2)
