"""`nnfs evaluate`: how good a run is on rows it did not learn from."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.baseline import side_by_side
from nnfs_cli.cli.options import Code, Json, SplitName, Weights, load
from nnfs_cli.cli.terminal import fact, from_threshold, note, number, print_json, say_weights, table
from nnfs_cli.errors import UserError

if TYPE_CHECKING:
    from nnfs_cli.workflows import Figures, Threshold

CLASSES = 10  # as many fit a terminal


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    split: Annotated[
        list[SplitName] | None, typer.Option(help="Which rows; those held back from training unless given. Repeatable.")
    ] = None,
    input: Annotated[Path | None, typer.Option(help="Rows of another file, with the target.")] = None,
    weights: Weights = "best",
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="The probability from which the second of two classes is decided for: a number, or best_accuracy or"
            " best_f1 (the mean of both classes') on the validation rows, or none. It is kept for predict.",
        ),
    ] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Put simple and well-known models beside it, on the same rows.")
    ] = False,
    code: Code = None,
    json: Json = False,
) -> None:
    """Print the loss and the metrics of RUN on the rows that were held back."""
    if split and input:
        raise UserError("give either --split or --input, not both")
    if baselines and input:
        raise UserError("give either --baselines, which learn from the run's own rows, or --input")
    load(code)
    from nnfs_cli import workflows
    from nnfs_cli.runs.run import Run

    opened = Run.open(run)
    splits = [name.value for name in split] if split else None
    metrics = workflows.evaluate(opened, splits, input, weights, _threshold(threshold))
    decision = opened.decision() if weights == "best" else None  # for which it was chosen
    comparison = workflows.compare(opened, splits, weights) if baselines else {}
    confusion = {name: counts for name in metrics if (counts := opened.confusion(name, weights))}
    if json:
        found = {"run": opened.path.as_posix(), "metrics": metrics, "decision": decision, "confusion": confusion}
        print_json(found | ({"baselines": comparison} if baselines else {}))
        return
    say_weights(opened.data())
    if decision:
        when = "kept, also for predict" if threshold else "as it was chosen before"
        fact("threshold", f"{from_threshold(decision)}, {when}")
    print(_figures(metrics))
    if comparison:
        print(f"\n{side_by_side(comparison)}")
    for name, counts in confusion.items():
        if len(counts) <= CLASSES:
            print(f"\n{_confusion(name, counts)}")
        else:
            note(f"{opened.path.as_posix()}/evaluation/{name} holds the confusion matrix")


def _figures(metrics: Figures) -> str:
    """A line for each split, or, where that is wider than the terminal, for each figure."""
    splits, names = list(metrics), list(next(iter(metrics.values())))
    cells = [[number(figures[name]) for name in names] for figures in metrics.values()]
    wide = table(["split", *names], [[split, *row] for split, row in zip(splits, cells, strict=True)])
    if not sys.stdout.isatty() or len(wide.partition("\n")[0]) <= shutil.get_terminal_size().columns:
        return wide
    return table(["split", *splits], [[name, *column] for name, *column in zip(names, *cells, strict=True)])


def _threshold(text: str | None) -> Threshold | None:
    match text:
        case None | "best_f1" | "best_accuracy" | "none" as known:
            return known
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 1:
            return float(text)
    raise UserError(f"--threshold takes best_f1, best_accuracy, a number from 0 to 1 or none, found '{text}'")


def _confusion(split: str, counts: dict[str, dict[str, int]]) -> str:
    rows = [[truth, *map(number, of_truth.values())] for truth, of_truth in counts.items()]
    return f"{split}: rows by their true class (lines) and their prediction (columns)\n{table(['', *counts], rows)}"
