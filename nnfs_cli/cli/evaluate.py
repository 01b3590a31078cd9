"""`nnfs evaluate`: score a run on rows that it did not train on."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.baseline import side_by_side
from nnfs_cli.cli.completion import complete_table
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Quiet, RunFolder, SplitName, Weights, load
from nnfs_cli.cli.paths import open_run, require_table
from nnfs_cli.cli.terminal import (
    complain,
    fact,
    fold,
    print_json,
    report_row_weights,
    suggest,
    threshold_rule,
    width_of,
)
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import number, table
from nnfs_cli.errors import UserError

if TYPE_CHECKING:
    from nnfs_cli.runs.directory import RunDirectory
    from nnfs_cli.workflows import Figures, Threshold

CLASSES = 10  # a confusion matrix of more classes does not fit on a terminal

ThresholdChoice = Annotated[
    str | None,
    typer.Option(
        metavar="HOW",
        help="For two classes: the probability from which the second one is predicted. HOW is a number; or"
        " best_accuracy or best_f1 (macro F1), to choose the threshold on the validation rows; or none, to remove it."
        " The threshold is saved, and `nnfs predict` uses it.",
    ),
]


@manual(
    "nnfs evaluate runs/breast_cancer-1 --threshold best_f1",
    "nnfs evaluate runs/breast_cancer-1 --split train --split validation --json",
    guide="evaluation",
)
def evaluate(
    run: RunFolder,
    split: Annotated[
        list[SplitName] | None,
        typer.Option(metavar="SPLIT", help="train, validation or test; by default the held-out rows. Repeatable."),
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Score the rows of another file, which must have the target column.",
            autocompletion=complete_table,
        ),
    ] = None,
    weights: Weights = "best",
    threshold: ThresholdChoice = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Score simple baseline models on the same rows too.")
    ] = False,
    code: Code = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Print the loss and the metrics of RUN on its held-out rows."""
    if split and input:
        raise UserError("give either --split or --input, not both")
    if baselines and input:
        raise UserError("give either --baselines or --input, not both: baselines are scored on the rows of the run")
    load(code)
    from nnfs_cli import workflows

    opened = open_run(run)
    if input:
        require_table(input)
    else:
        _require_kept_rows(opened)
    path = opened.path.as_posix()
    splits = [name.value for name in split] if split else None
    earlier = opened.records.decision() if threshold == "none" else None
    metrics = workflows.evaluate(opened, splits, input, weights, _threshold(threshold))
    decision = opened.records.decision() if weights == "best" else None  # the threshold was chosen for these weights
    comparison = workflows.compare(opened, splits, weights) if baselines else {}
    confusion = {name: counts for name in metrics if (counts := opened.records.confusion(name, weights))}
    if input:
        _warn_about_training_file(opened, input)
    if json:
        found = {"run": path, "metrics": metrics, "decision": decision, "confusion": confusion}
        print_json(found | ({"baselines": comparison} if baselines else {}))
        return
    if not quiet:
        report_row_weights(opened.records.data())
        _report_threshold(threshold, decision, earlier)
        if threshold and threshold.startswith("best_") and "validation" in metrics:
            fact(
                "note",
                "the threshold was chosen on these validation rows, so their figures are a little too good",
            )
    print(_figures(metrics))
    if comparison:
        print(f"\n{side_by_side(comparison)}")
    _print_confusion(confusion, path, quiet)
    suggest(f"nnfs predict --run {shlex.quote(path)} --input FILE", quiet)


def _require_kept_rows(run: RunDirectory) -> None:
    """Raise `UserError` if the rows of the run were given in Python, so that they are no longer there."""
    from nnfs_cli.config.document import Document
    from nnfs_cli.data.in_memory import InMemory

    dataset = Document.load(run.spec_file).data.get("dataset")  # whether it is sound is seen when the net is read
    if isinstance(dataset, dict) and InMemory.name in dataset:
        kept = f"{run.path.as_posix()} was trained on a table given in Python, and does not keep its rows"
        raise UserError(f"{kept}; give rows with --input")


def _warn_about_training_file(run: RunDirectory, input: Path) -> None:
    """Warn if the rows to score are the rows that the net has learned from."""
    from nnfs_cli.workflows.evaluate import is_training_data

    if is_training_data(run, input):
        trained = f"{input.name} is the file that {run.path.as_posix()} was trained on"
        learned = "so these figures include rows that the net has learned from; leave --input out"
        complain("warning", f"{trained}, {learned}")


def _print_confusion(confusion: Mapping[str, dict[str, dict[str, int]]], path: str, quiet: bool) -> None:
    """Print the confusion matrix of each split, or name its file if it does not fit on a terminal."""
    for name, counts in confusion.items():
        if len(counts) <= CLASSES:
            print(f"\n{_confusion(name, counts)}")
        elif not quiet:
            note(f"{path}/evaluation/{name} holds the confusion matrix")


def _report_threshold(
    threshold: str | None, decision: Mapping[str, Any] | None, earlier: Mapping[str, Any] | None
) -> None:
    """Report the threshold in use, and with `--threshold none` whether one was removed."""
    if decision:
        when = "saved; `nnfs predict` uses it" if threshold else "chosen earlier"
        fact("threshold", f"{threshold_rule(decision)} ({when})")
    elif threshold == "none":
        removed = f"removed ({number(earlier['threshold'])})" if earlier else "none was saved"
        fact("threshold", f"{removed}; `nnfs predict` predicts the class of the highest probability")


def _figures(metrics: Figures) -> str:
    """Lay out the figures with a line for each split, or for each figure if that would not fit on the terminal."""
    splits, names = list(metrics), list(next(iter(metrics.values())))
    cells = [[number(figures[name]) for name in names] for figures in metrics.values()]
    wide = table(["split", *names], [[split, *row] for split, row in zip(splits, cells, strict=True)])
    if len(wide.partition("\n")[0]) <= (width_of(sys.stdout) or 10_000):
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
    title = fold(f"{split}: true class (rows), predicted class (columns)", width_of(sys.stdout) or 80)
    return "\n".join([*title, table(["", *counts], rows)])
