"""The figures of an evaluation, laid out as tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnfs_cli.display.text import fold, narrow_table, number, row_count, table
from nnfs_cli.system.wording import counted, in_a_line, percent

if TYPE_CHECKING:
    from nnfs_cli.workflows import Evaluation
    from nnfs_cli.workflows.by_column import FiguresBy

MATRIX = 10  # classes up to which a confusion matrix fits a terminal
CLASSES = 20  # classes in the table of figures by class, at most


def evaluation_tables(found: Evaluation, width: float = math.inf) -> Iterator[str]:
    """Yield the tables of an evaluation, at most `width` columns wide where columns can be left out.

    They are the figures of each split, of classes also the figures by class and the confusion matrix of each split, the
    figures by the groups of a column if they were asked for, and for two classes what some thresholds do, on the
    validation rows or else on the first split.
    """
    for split in found:
        yield narrow_table(*_figures(found, split), width)
    for split, labels in found.labels.items():
        yield narrow_table(*_labels(split, labels), width)
        for label, figures in labels.items() if len(labels) <= MATRIX else ():
            yield _confusion(f"{split}, {label}", figures["confusion"], width)
    for split, classes in found.classes.items():
        yield _classes(split, classes)
        if len(classes) <= MATRIX:
            yield _confusion(split, found.confusion[split], width)
    yield from _by_column(found.by, width) if found.by is not None else ()
    rows = found.trade_offs
    if rows:
        split = "validation" if "validation" in rows else next(iter(rows))
        yield _trade_offs(split, rows[split], [*found.classes[split]][1], width)


def _figures(found: Evaluation, split: str) -> tuple[list[str], list[list[str]]]:
    figures, intervals = dict(found[split]), found.intervals[split]
    unweighted = found.unweighted.get(split)
    title = f"{split} ({row_count(figures.pop('rows'), split == 'validation' and found.out_of_fold)})"
    header, lines = [title, "figure" if unweighted is None else "weighted", "95 % interval"], []
    for name, figure in figures.items():
        bounds = intervals.get(name)
        lines.append([name, number(figure), f"{number(bounds[0])} to {number(bounds[1])}" if bounds else ""])
        if unweighted is not None:
            lines[-1].append(number(unweighted[name]) if name in unweighted else "")
    return header if unweighted is None else [*header, "unweighted"], lines


def _by_column(found: FiguresBy, width: float) -> Iterator[str]:
    """Yield the figures of each group, a table for each split."""
    for split, groups in found.figures.items():
        names = [name for name in next(iter(groups.values())) if name != "rows"]
        header, lines = [f"{split}, by {found.column}", "rows"], []
        for name in names:
            header += [name, "95 % interval"]
        for group, figures in groups.items():
            lines.append([group, number(figures["rows"])])
            for name in names:
                bounds = found.intervals[split][group].get(name)
                shown = f"{number(bounds[0])} to {number(bounds[1])}" if bounds else ""
                lines[-1] += [number(figures[name]), shown]
        yield narrow_table(header, lines, width)


def _classes(split: str, classes: Mapping[str, Mapping[str, Any]]) -> str:
    """Lay out the figures by class; of many classes, those with the lowest F1."""
    shown = list(classes.items())
    more = len(shown) - CLASSES
    if more > 0:
        shown = sorted(shown, key=lambda item: -1.0 if item[1]["f1"] is None else item[1]["f1"])
    names = ["precision", "recall", "f1", "support"]
    lines = [[label, *(number(figures[name]) for name in names)] for label, figures in shown[:CLASSES]]
    text = table([split, *names], lines)
    return f"{text}\nand {counted(more, 'class')} with a higher f1; --json prints all of them" if more > 0 else text


def _labels(split: str, labels: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return the table of the figures of several targets of two classes."""
    names = ["threshold", "accuracy", "precision", "recall", "f1", "roc_auc", "average_precision", "support"]
    return [split, *names], [[label, *(number(of_label[name]) for name in names)] for label, of_label in labels.items()]


def _confusion(split: str, counts: Mapping[str, Mapping[str, int]], width: float) -> str:
    rows = [[truth, *map(number, of_truth.values())] for truth, of_truth in counts.items()]
    return _titled(f"{split}: true class (rows), predicted class (columns)", table(["", *counts], rows), width)


def _trade_offs(split: str, rows: Sequence[Mapping[str, Any]], label: str, width: float) -> str:
    header, lines = ["threshold", "precision", "recall", "predicted", "cost"], []
    for row in rows:
        shown = [number(row[name]) for name in header[:3]]
        lines.append([*shown, percent(row["predicted"], 1), number(row["cost"])])
    columns = 4 if not rows or rows[0]["cost"] is None else 5
    title = f"{split}: predict '{label}' at a probability of the threshold or more"
    return _titled(title, table(header[:columns], [line[:columns] for line in lines]), width)


def _titled(title: str, text: str, width: float) -> str:
    """Put a title above a table, folded between words."""
    return "\n".join([*fold(in_a_line(title), 80 if width == math.inf else int(width)), text])
