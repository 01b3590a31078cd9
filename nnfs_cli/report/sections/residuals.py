"""Predicted numbers beside the true ones: by value, and what is left between them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.charts.annotations import Rule
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.histogram import Histogram
from nnfs_cli.charts.line import Line
from nnfs_cli.charts.points import Points
from nnfs_cli.display.text import ROWS_OF
from nnfs_cli.report.blocks import Block, Charts, Heading, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.workflows.run_predictions import RunPredictions

MOST = 4  # targets that are drawn
BARS = 40  # at most
NOTES = (
    "Points on the diagonal are predicted exactly.",
    "A curve shows what the net has not learned; a funnel shows errors that grow with the prediction.",
    "A peak away from 0 shows predictions that are too low or too high as a whole.",
)


def residuals(facts: RunFacts) -> Section | None:
    """Return predicted and true numbers of the main held-out split."""
    found = facts.predictions
    if found is None or found.predictor.labels or found.predictor.encoder.pairs:
        return None
    blocks: list[Block] = [Text(f"For the {ROWS_OF[found.main_split]}.")]
    several = len(found.predictor.encoder.targets) > 1
    for target, charts in residual_charts(found, found.main_split):
        blocks += [Heading(target)] * several
        noted = [*zip(charts, NOTES, strict=True)]
        blocks.append(Charts(noted if facts.rows else noted[2:]))  # the first two show single rows
    left_out = len(found.predictor.encoder.targets) - MOST
    if left_out > 0:
        blocks.append(Text(f"{left_out:,} more targets are not drawn.", soft=True))
    return Section("residuals", "Predicted and true numbers", blocks)


def residual_charts(predictions: RunPredictions, split: str) -> Iterator[tuple[str, list[Chart]]]:
    """Yield the name of each target with three charts: predicted and true values, residuals, and their spread."""
    rows = predictions.predicted(split)
    for j, target in enumerate(predictions.predictor.encoder.targets[:MOST]):
        truth, predicted = rows.y[:, j].astype(np.float64), rows.y_hat[:, j].astype(np.float64)
        finite = np.isfinite(predicted)
        truth, predicted = truth[finite], predicted[finite]
        if not len(truth):
            continue
        residual = truth - predicted
        ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
        counts, edges = np.histogram(residual, min(BARS, max(8, round(np.sqrt(len(residual))))))
        yield (
            target,
            [
                Chart(
                    "Predicted and true values",
                    f"predicted {target}",
                    f"true {target}",
                    [Points(predicted, truth, "rows"), Line(ends, ends, "perfect", quiet=True)],
                ),
                Chart(
                    "Residuals",
                    f"predicted {target}",
                    f"true minus predicted {target}",
                    [Points(predicted, residual)],
                    [Rule("no error", y=0.0)],
                ),
                Chart(
                    "Spread of the residuals",
                    f"true minus predicted {target}",
                    "rows",
                    [Histogram(edges, counts)],
                    [Rule("no error", x=0.0)],
                ),
            ],
        )
