"""Whether probabilities can be taken at their word: reliability diagrams, and how probabilities are spread."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.histogram import Histogram
from nnfs_cli.charts.line import Line
from nnfs_cli.charts.series import Series
from nnfs_cli.display.text import ROWS_OF, number
from nnfs_cli.metrics.reliability import Reliability
from nnfs_cli.prediction.calibration import ClassCalibration
from nnfs_cli.prediction.calibration.error import CHANCE
from nnfs_cli.report.blocks import Block, Charts, Folded, Rows, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.system.wording import named
from nnfs_cli.workflows.run_predictions import RunPredictions

WHOLE = (0.0, 1.0)
BARS = 20
ROWS = 15  # in a bin of the reliability diagram on average, at least
ON_DIAGONAL = "On the diagonal, of the rows with a probability of 80 %, 80 % come true."
SPREAD_NOTE = "The less the two overlap, the better they are told apart."


def probabilities(facts: RunFacts) -> Section | None:
    """Return how reliable and how spread the probabilities of the main held-out split are."""
    found = facts.predictions
    if found is None or not found.predictor.labels or not found.predictor.config.loss.probabilistic:
        return None
    split = found.main_split
    rows = found.predicted(split)
    if not rows.usable:
        return None
    blocks: list[Block] = [Text(f"For the {ROWS_OF[split]}.{_temperature(found)}")]
    by_bin = reliability(found, split)
    chart = reliability_chart(by_bin, found.predictor.labels)
    spread = spread_chart(found, split)
    labels = found.predictor.labels
    note = SPREAD_NOTE if len(spread.series) == 2 else f"All of these rows: {spread.series[0].name}."
    blocks.append(Charts([(chart, reliability_note(labels)), (spread, note)]))
    blocks.append(Folded("The bins of the reliability diagram", [_bins(name, each) for name, each in by_bin.items()]))
    return Section("probabilities", "Probabilities", blocks)


def _temperature(found: RunPredictions) -> str:
    """Return a sentence about the temperature of the calibration, if there is one."""
    if not isinstance(calibration := found.calibration, ClassCalibration):
        return ""
    how = "the validation rows" if calibration.how == "validation" else "out-of-fold rows"
    change = ""
    if calibration.errors:
        before, after = (number(error) if error else CHANCE for error in calibration.errors)
        rows = "the test rows" if calibration.test is not None else how
        change = f" The calibration error (rms, less chance) on {rows} is {before} before it, and {after} after it."
    return f" A temperature of {calibration.temperature:.3f}, fitted to {how}, calibrates them for intervals.{change}"


def _bins(name: str, found: Reliability) -> Rows:
    rows = [
        [f"{probability:.4f}", f"{frequency:.4f}", f"{n:,}"]
        for probability, frequency, n in zip(*(each.tolist() for each in found), strict=True)
    ]
    return Rows(f"{name} probabilities", ["mean probability", "came true", "rows"], rows, 0)


def reliability(predictions: RunPredictions, split: str) -> dict[str, Reliability]:
    """Return how reliable the probabilities are, as the net gives them and, with a temperature, calibrated.

    They are those of the second of two classes, or of the most probable one of more.
    """
    rows, weight = predictions.predicted(split), predictions.weight(split)
    found = {"the net's": rows.y_hat}
    if isinstance(calibration := predictions.calibration, ClassCalibration):
        found["calibrated"] = calibration.scale(rows.y_hat)
    bins = max(3, min(10, len(rows.y) // ROWS))
    if len(predictions.predictor.labels) == 2:
        return {name: Reliability.of(p[:, 1], rows.y == 1, weight, bins) for name, p in found.items()}
    return {name: Reliability.of(p.max(axis=1), p.argmax(axis=1) == rows.y, weight, bins) for name, p in found.items()}


def reliability_note(labels: tuple[str, ...]) -> str:
    """Return how to read the reliability diagram.

    That of two classes is of the probability of the second one; a low one that comes true too rarely is not too sure.
    """
    if len(labels) > 2:
        return f"{ON_DIAGONAL} Where a line is below it, the net is too confident."
    second = named(labels[1])
    return f"{ON_DIAGONAL} Where a line is below it, {second} is rarer than the net says; above it, more frequent."


def reliability_chart(found: Mapping[str, Reliability], labels: tuple[str, ...]) -> Chart:
    """Return the reliability diagram."""
    two = len(labels) == 2
    bins = next(iter(found.values()))
    return Chart(
        "Reliability",
        f"predicted probability of {labels[1]}" if two else "probability of the predicted class",
        "share of rows of that class" if two else "share of right predictions",
        [
            *(Line(each.probability, each.frequency, f"{name} probabilities") for name, each in found.items()),
            Line([0, 1], [0, 1], "perfect", quiet=True),
        ],
        x_range=WHOLE,
        y_range=WHOLE,
        description=f"Bins of {_few(bins.rows)} rows",
    )


def spread_chart(predictions: RunPredictions, split: str) -> Chart:
    """Return how many rows have which probability: by true class, or by whether the prediction is right."""
    rows, labels = predictions.predicted(split), predictions.predictor.labels
    if len(labels) == 2:
        score, x_label = rows.y_hat[:, 1], f"predicted probability of {labels[1]}"
        parts = {f"true class {label}": rows.y == k for k, label in enumerate(labels)}
    else:
        score, x_label = rows.y_hat.max(axis=1), "probability of the predicted class"
        right = rows.y_hat.argmax(axis=1) == rows.y
        parts = {"right": right, "wrong": ~right}
    edges = np.linspace(0, 1, BARS + 1)
    bars: list[Series] = [
        Histogram(edges, _shares(score[part], edges), f"{name} ({int(part.sum()):,} rows)")
        for name, part in parts.items()
        if part.any()
    ]
    return Chart("Probabilities", x_label, "share of these rows (%)", bars, x_range=WHOLE)


def _shares(values: Array, edges: Array) -> Array:
    """Return how much percent of the values lie between the edges; rounding may put a probability just above 1."""
    return np.asarray(100 * np.histogram(np.clip(values, 0, 1), edges)[0] / len(values))


def _few(rows: Array) -> str:
    return f"{rows.min():,} to {rows.max():,}"
