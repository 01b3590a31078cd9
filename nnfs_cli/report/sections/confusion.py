"""Which classes are mistaken for which: the confusion matrix of each held-out split, and figures by class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.charts.matrix import Matrix
from nnfs_cli.display.text import ROWS_OF, number
from nnfs_cli.report.blocks import Block, Charts, Folded, Rows, Section
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.runs.records import ConfusionTable
from nnfs_cli.workflows.run_predictions import RunPredictions

MOST = 40  # classes in a picture; of more, those with the most errors
LISTED = 12  # classes in a table that is not folded
NOTE = (
    "Rows are true classes, columns predicted ones; the diagonal is right. The stronger the colour, the "
    "larger the share of the true class."
)


def confusion(facts: RunFacts) -> Section | None:
    """Return the confusion matrices of the held-out splits, or else of the training rows."""
    found = facts.predictions
    if found is None or not found.predictor.names_of_outputs:
        return None
    splits = found.held_out or ["train"]
    if found.predictor.encoder.pairs:
        return Section("confusion", "Right and wrong by label", [*_by_label(found, splits)])
    tables = {split: found.evaluation.scored[split].confusion for split in splits}
    matrices = [(confusion_matrix(table, ROWS_OF[split]), NOTE) for split, table in tables.items() if table is not None]
    blocks: list[Block] = [Charts(matrices)]
    for split in splits:
        table = _by_class(found.evaluation.classes[split], ROWS_OF[split])
        few = len(table.rows) <= LISTED
        blocks.append(table if few else Folded(f"Figures of the {len(table.rows)} classes, {ROWS_OF[split]}", [table]))
    return Section("confusion", "Right and wrong by class", blocks)


def _by_label(found: RunPredictions, splits: Sequence[str]) -> Iterator[Block]:
    """Yield the figures of several targets of two classes, and the confusion matrix of each on the main split."""
    names = ["threshold", "accuracy", "precision", "recall", "f1", "roc_auc", "average_precision"]
    for split in splits:
        shown = [
            [label, f"{each['support']:,}", *(number(each[name]) for name in names)]
            for label, each in found.evaluation.labels[split].items()
        ]
        yield Rows(f"Figures by label, {ROWS_OF[split]}", ["label", "rows", *names], shown)
    tables = found.evaluation.scored[found.main_split].labels or {}
    matrices = [confusion_matrix(table, ROWS_OF[found.main_split], label) for label, table in tables.items()]
    yield Charts([(matrix, NOTE) for matrix in matrices[:LISTED]])


def _by_class(classes: Mapping[str, Mapping[str, Any]], rows: str) -> Rows:
    """Return precision, recall and F1 of each class; each row counts once."""
    shown = [
        [label, f"{int(each['support']):,}", *(number(each[name]) for name in ("precision", "recall", "f1"))]
        for label, each in classes.items()
    ]
    return Rows(f"Figures by class, {rows}", ["class", "rows", "precision", "recall", "F1"], shown)


def confusion_matrix(table: ConfusionTable, rows: str, target: str = "") -> Matrix:
    """Return the counts of rows, in stronger colour where the share of the rows of the true class is higher."""
    labels, counts = list(table.labels), table.counts
    title = f"Confusion matrix of the {rows}" if not target else f"{target}, {rows}"
    if len(labels) > MOST:
        wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
        kept = np.sort(np.argsort(-wrong, kind="stable")[:MOST])
        labels, counts = [labels[k] for k in kept], counts[np.ix_(kept, kept)]
        title += f": the {MOST} classes with the most errors"
    totals = np.maximum(table.counts.sum(axis=1), 1)
    totals = totals if len(labels) == len(table.labels) else totals[kept]
    shares = counts / totals[:, None]
    texts = [
        [f"{n:,} ({100 * share:.0f} %)" if len(labels) <= 6 else f"{n:,}" for n, share in zip(row, of_row, strict=True)]
        for row, of_row in zip(counts.tolist(), shares.tolist(), strict=True)
    ]
    return Matrix(title, "predicted class", "true class", labels, labels, shares, texts)
