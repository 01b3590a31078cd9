"""`nnfs evaluate`: score a run on rows that it did not train on."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.baseline import side_by_side
from nnfs_cli.cli.completion import complete_metric, complete_table
from nnfs_cli.cli.decide import CostsChoice, ThresholdChoice, parse_costs, parse_threshold, threshold_rule
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Query, Quiet, RunFolder, SplitName, Weights, load, metrics_in
from nnfs_cli.cli.paths import open_run, rows_at, run_meant
from nnfs_cli.cli.terminal import complain, fact, print_json, report_row_weights, report_verdict, suggest, width_of
from nnfs_cli.display.evaluation import MATRIX, evaluation_tables
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import number
from nnfs_cli.errors import UserError

if TYPE_CHECKING:
    from nnfs_cli.audit.slices import Slices
    from nnfs_cli.runs.directory import RunDirectory
    from nnfs_cli.workflows import Evaluation, Verdict

Splits = Annotated[
    list[SplitName] | None,
    typer.Option(metavar="SPLIT", help="train, validation or test; by default the held-out rows. Repeatable."),
]

OtherRows = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Score the rows of another file, or of a database with --query, at a path or a URL. They must have the"
        " target column.",
        autocompletion=complete_table,
    ),
]

ByColumn = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Print the metrics for each group that a column of the table makes, too."),
]

WithSlices = Annotated[
    bool, typer.Option("--slices", help="Look for groups of held-out rows in which the net is worse than elsewhere.")
]

MetricList = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METRIC,...",
        help="Metrics to report instead of those of the config, such as 'roc_auc, f1: per_class'. Repeatable.",
        autocompletion=complete_metric,
    ),
]


@manual(
    "nnfs evaluate runs/breast_cancer-1 --costs fp=1,fn=20",
    "nnfs evaluate runs/breast_cancer-1 --metrics roc_auc,brier --json",
    "nnfs evaluate runs/breast_cancer-1 --by 'mean radius' --slices",
    guide="evaluation",
)
def evaluate(
    run: RunFolder = None,
    split: Splits = None,
    input: OtherRows = None,
    query: Query = None,
    weights: Weights = "best",
    metrics: MetricList = None,
    threshold: ThresholdChoice = None,
    costs: CostsChoice = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Score simple baseline models on the same rows too.")
    ] = False,
    by: ByColumn = None,
    slices: WithSlices = False,
    code: Code = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Print the loss and the metrics of RUN on its held-out rows.

    A threshold is only tried: `nnfs decide` keeps one, and `nnfs predict` does what it did before.
    """
    if input:
        _refuse_rows_of_run({"split": bool(split), "slices": slices, "baselines": baselines})
    if slices:
        _refuse_with_slices({"split": split, "weights": weights != "best", "threshold": threshold, "costs": costs})
    load(code)
    from nnfs_cli import workflows

    opened = open_run(run_meant(run, quiet))
    rows = rows_at(input, query) if input else None
    if rows is None:
        _require_kept_rows(opened)
    path = opened.path.as_posix()
    splits = [name.value for name in split] if split else None
    chosen: dict[str, Any] = {"costs": parse_costs(costs), "metrics": _parse_metrics(metrics), "by": by}
    found = workflows.evaluate(opened, splits, rows, weights, parse_threshold(threshold), **chosen)
    none = workflows.Comparison()
    comparison = workflows.compare(opened, splits, weights, predictor=found.predictor) if baselines else none
    verdict = [*found.verdict, *comparison.verdict]
    groups = _slices(opened) if slices else None
    if rows is not None and found.trained_on:
        _warn_of_training_rows(rows.name if query is None else None, path)
    if json:
        asked: dict[str, Any] = {"baselines": comparison} if baselines else {}
        asked |= {"slices": groups.plain()} if groups is not None else {}
        print_json({"run": path, **_plain(found, verdict), **asked})
        return
    if not quiet:
        report_row_weights(opened.records.data())
        _report_decision(found, path, threshold, costs, baselines)
    print("\n\n".join(evaluation_tables(found, width_of(sys.stdout) or math.inf)))
    if comparison:
        print(f"\n{side_by_side(comparison)}")
    if groups is not None:
        print(f"\n{groups.text(width_of(sys.stdout) or 80)}")
    if not quiet:
        _name_large_matrices(found, path, weights)
        report_verdict(verdict)
    suggest(f"nnfs predict --run {shlex.quote(path)} --input FILE", quiet)


def _refuse_rows_of_run(asked: Mapping[str, bool]) -> None:
    """Raise `UserError` about an option that needs the rows of the run, although others are given."""
    why = {
        "split": "",
        "slices": ": groups are looked for among the rows of the run",
        "baselines": ": baselines are scored on the rows of the run",
    }
    for option, given in asked.items():
        if given:
            raise UserError(f"give either --{option} or --input, not both{why[option]}")


def _refuse_with_slices(asked: Mapping[str, Any]) -> None:
    """Raise `UserError` about an option that the search for groups does not heed."""
    for option, given in asked.items():
        if given:
            used = "the largest held-out split, with the best weights and the threshold that was kept"
            raise UserError(f"give either --{option} or --slices, not both: groups are looked for in {used}")


def _slices(run: RunDirectory) -> Slices:
    """Return the groups of held-out rows in which the net is worse than elsewhere."""
    from nnfs_cli.audit.run_slices import slices_of_run
    from nnfs_cli.workflows.run_predictions import RunPredictions

    return slices_of_run(RunPredictions.of_run(run))


def _warn_of_training_rows(file: str | None, path: str) -> None:
    """Warn that the rows, of a file or of a query, are those that a run was trained on."""
    trained = f"{f'{file} is the file' if file else 'the query gives the rows'} that {path} was trained on"
    learned = "so these figures include rows that the net has learned from; leave --input out"
    complain("warning", f"{trained}, {learned}")


def _name_large_matrices(found: Evaluation, path: str, weights: str) -> None:
    """Name the file of each confusion matrix that does not fit on a terminal."""
    for split, counts in found.confusion.items():
        if len(counts) > MATRIX:
            note(f"{path}/evaluation/{split if weights == 'best' else f'{split}-{weights}'} holds the confusion matrix")


def _require_kept_rows(run: RunDirectory) -> None:
    """Raise `UserError` if the rows of the run were given in Python, so that they are no longer there."""
    from nnfs_cli.config.document import Document
    from nnfs_cli.data.in_memory import InMemory

    dataset = Document.load(run.spec_file).data.get("dataset")  # whether it is sound is seen when the net is read
    if isinstance(dataset, dict) and InMemory.name in dataset:
        kept = f"{run.path.as_posix()} was trained on a table given in Python, and does not keep its rows"
        raise UserError(f"{kept}; give rows with --input")


def _parse_metrics(texts: list[str] | None) -> list[Any] | None:
    """Return the metrics that texts name, in the grammar of a config. Raises `UserError`."""
    if not texts:
        return None
    text = ", ".join(texts)
    expected = f"--metrics takes metrics as in a config, such as 'roc_auc, f1: per_class', found '{text}'"
    return list(metrics_in(f"[{text}]", expected))


def _plain(found: Evaluation, verdict: Sequence[Verdict]) -> dict[str, Any]:
    """Return all that was found, for JSON."""
    return {
        "metrics": found,
        "unweighted": found.unweighted,
        "intervals": found.intervals,
        "decision": found.decision,
        "classes": found.classes,
        "labels": found.labels,
        "confusion": found.confusion,
        "trade_offs": found.trade_offs,
        "blend": found.blend,
        **({"by": found.by.plain()} if found.by is not None else {}),
        "verdict": [one.plain() for one in verdict],
    }


def _report_decision(found: Evaluation, path: str, threshold: str | None, costs: str | None, baselines: bool) -> None:
    """Report the threshold in use, how to keep it, and what it costs."""
    decision = found.decision
    if decision and threshold is None and costs is None:
        fact("threshold", f"{threshold_rule(decision)} (kept; `nnfs predict` uses it)")
    elif decision:
        how = f"--threshold {threshold}" if threshold else f"--costs {costs}"
        fact("threshold", f"{threshold_rule(decision)} (not kept; `nnfs decide {shlex.quote(path)} {how}` keeps it)")
    elif threshold == "none":
        fact("threshold", "none; these figures are for the class of the highest probability")
    if decision and found.costs and found.trade_offs:
        cost = {
            split: next(row["cost"] for row in rows if row["threshold"] == decision["threshold"])
            for split, rows in found.trade_offs.items()
        }
        shown = ", ".join(f"{number(cost)} a row on the {split} rows" for split, cost in cost.items())
        fact("costs", shown)
        if decision["by"] == "costs":
            best = f"fp / (fp + fn) = {number(found.costs.threshold)} is best for probabilities that match frequencies"
            fact("", f"{best}; the threshold above was chosen for those of this net, so use that one")
    if decision and decision["by"] != "hand" and "validation" in found:
        fact("note", "the threshold was chosen on these validation rows, so their figures are a little too good")
    if decision and baselines:
        fact("note", "the threshold is that of the net only: baselines predict the most probable class")
