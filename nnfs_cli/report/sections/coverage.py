"""The coverage of prediction intervals, or of sets of classes, at several levels, and their size."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.line import Line
from nnfs_cli.display.text import ROWS_OF, number
from nnfs_cli.prediction.coverage import Coverage, coverage_by_level
from nnfs_cli.report.blocks import Block, Charts, Folded, Rows, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.workflows.run_predictions import RunPredictions

MOST = 4  # targets that are drawn
HELD_NOTE = "On the dotted line, as many rows are covered as the level promises; below it, too few."
SETS_NOTE = "A set always holds the predicted class, so at low levels it holds the truth more often than it has to."
SIZE_NOTE = "If enough rows are covered, smaller is better."


def coverage(facts: RunFacts) -> Section | None:
    """Return what prediction intervals, or sets of classes, hold at several levels."""
    found = facts.predictions
    if found is None or not (by_split := coverages(found)):
        return None
    classes = bool(found.predictor.labels)
    things = "sets of classes" if classes else "prediction intervals"
    calibrated = "validation rows" if found.predictor.config.holdout is None else "rows out of fold"
    intro = f"`nnfs predict --interval` gives {things}. They were calibrated on the {calibrated}"
    intro += (
        ", so only the test rows are new to them."
        if "test" in by_split
        else "; there are no other rows to try them on."
    )
    charts = [
        (chart, ((SETS_NOTE if classes else HELD_NOTE), SIZE_NOTE)[i % 2])
        for i, chart in enumerate(coverage_charts(by_split, found))
    ]
    blocks: list[Block] = [
        Text(intro),
        Charts(charts),
        Folded("The numbers of both charts", [_table(by_split, classes)]),
    ]
    blocks += _quantiles(found)
    return Section("coverage", "Sets of classes" if classes else "Prediction intervals", blocks)


def _quantiles(found: RunPredictions) -> Iterator[Rows]:
    """Yield how many rows lie below each quantile that the net predicts, if its loss predicts quantiles."""
    by_split = {split: found.predicted(split) for split in found.held_out}
    levels = [*next(iter(by_split.values())).quantiles]
    if levels:
        below = [[rows.mean(rows.y <= rows.quantiles[level])[0] for rows in by_split.values()] for level in levels]
        shown = [[f"{level:g}", *(f"{share:.4f}" for share in row)] for level, row in zip(levels, below, strict=True)]
        header = ["predicted quantile", *(ROWS_OF[split] for split in by_split)]
        yield Rows("The share of rows that lie below each predicted quantile", header, shown, 0)


def _table(by_split: dict[str, Coverage], classes: bool) -> Rows:
    """Return coverage and size by level, of the first target."""
    levels = next(iter(by_split.values())).levels
    size = "classes in a set" if classes else "mean width"
    header = ["level", *(f"{ROWS_OF[split]}: {name}" for split in by_split for name in ("inside", size))]
    rows = [
        [
            f"{100 * level:g} %",
            *(
                text
                for each in by_split.values()
                for text in (f"{100 * each.held[i, 0]:.1f} %", number(float(each.size[i, 0])))
            ),
        ]
        for i, level in enumerate(levels.tolist())
    ]
    return Rows("Coverage and size by level", header, rows, 0)


def coverages(predictions: RunPredictions) -> dict[str, Coverage]:
    """Return the coverage of each held-out split; none for a net without calibration."""
    if (calibration := predictions.calibration) is None:
        return {}
    found = {
        split: coverage_by_level(predictions.predictor, calibration, predictions.rows[split])
        for split in predictions.held_out
    }
    return {split: each for split, each in found.items() if len(each.levels)}


def coverage_charts(found: dict[str, Coverage], predictions: RunPredictions) -> Iterator[Chart]:
    """Yield what the intervals hold, and how large they are, for each target."""
    classes, targets = bool(predictions.predictor.labels), predictions.predictor.encoder.targets
    things = "sets of classes" if classes else "intervals"
    for j, target in enumerate(targets[: 1 if classes else MOST]):
        of = f" of {target}" if len(targets) > 1 else ""
        yield Chart(
            f"What the {things}{of} hold",
            "level (%)",
            "rows whose truth is inside (%)",
            [
                *(Line(100 * each.levels, 100 * each.held[:, j], f"{split} rows") for split, each in found.items()),
                Line([50, 95], [50, 95], "as promised", quiet=True),
            ],
        )
        yield Chart(
            f"Size of the {things}{of}",
            "level (%)",
            "classes in a set (mean)" if classes else f"width (mean, in units of {target})",
            [Line(100 * each.levels, each.size[:, j], f"{split} rows") for split, each in found.items()],
        )
