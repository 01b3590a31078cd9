"""`nnfs trace`: show one training step with its formulas and its numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, ConfigOrRun, Json, Overrides, Quiet, Weights, open_to_train, read
from nnfs_cli.cli.paths import is_run, run_meant
from nnfs_cli.cli.terminal import print_json, suggest
from nnfs_cli.errors import UserError

if TYPE_CHECKING:
    from nnfs_cli.arrays import Array
    from nnfs_cli.trace.batch import TracedBatch
    from nnfs_cli.trace.values import Step, Trace, TracedArray


@manual(
    "nnfs trace configs/iris.yaml",
    "nnfs trace runs/breast_cancer-1 --row 3 --row 60 --layer layers.2",
    "nnfs trace runs/breast_cancer-1 --html trace.html",
    guide="trace",
)
def trace(
    subject: ConfigOrRun = None,
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="Rows of the batch to follow.")] = 4,
    row: Annotated[
        list[int] | None, typer.Option(metavar="INDEX", help="Training row to follow, from 0. Repeatable.")
    ] = None,
    layer: Annotated[str | None, typer.Option(metavar="PLACE", help="Show only this layer, such as layers.2.")] = None,
    member: Annotated[int | None, typer.Option(metavar="INDEX", help="Member of an ensemble, counted from 0.")] = None,
    weights: Weights = "best",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page for the browser, to step through.")
    ] = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Show one training step of CONFIG or RUN: forward, loss, backward and update.

    Each step shows its formula, its arrays and the formula with the numbers of one entry in it. Gradients stand beside
    numerical ones. Of a config, it is the first step of the training; of a run, the step that would come next. Nothing
    is trained, and nothing is written but FILE.
    """
    if html is not None and layer is not None:
        raise UserError("--layer is for the terminal; the page of --html has all layers")
    chosen: int | list[int] = row or rows
    others: list[TracedBatch] = []
    subject = run_meant(subject, quiet)
    if is_run(subject):
        if set_:
            raise UserError("--set changes a config; a run keeps the settings that it was trained with")
        run = open_to_train(subject, code)
        from nnfs_cli.trace.source import batch_of_run, snapshots_of

        batch = batch_of_run(run, chosen, member, weights)
        others = snapshots_of(run, batch) if html else []
    else:
        config = read(subject, set_, code)
        from nnfs_cli.trace.source import batch_of_config

        batch = batch_of_config(config, subject.stem, chosen, member)
    if not row and len(batch.rows) < rows:
        suggest(f"all rows of a batch are traced, {len(batch.rows)}; --row INDEX traces others, too", quiet or json)
    if html is not None:
        from nnfs_cli.report.trace_page import trace_page
        from nnfs_cli.report.write import write_page

        path = write_page(trace_page(batch, others), html).as_posix()
        print_json({"page": path}) if json else print(path)
        suggest("open the page in a browser", quiet or json)
        return
    from nnfs_cli.trace.trace import trace as traced

    found = traced(batch) if layer is None else traced(batch).only(layer)
    if json:
        print_json(_plain(found))
        return
    from nnfs_cli.cli.trace_text import print_trace

    print_trace(found, layer is not None, quiet)


def _plain(found: Trace) -> dict[str, Any]:
    """Return a trace as plain values; of large arrays, only shape and range."""
    facts = {name: value for name, value in vars(found).items() if name != "steps"}
    steps = [_plain_step(step) for step in found.steps]
    return {**facts, "loss": _number(found.loss), "wrong": found.wrong, "steps": steps}


def _plain_step(step: Step) -> dict[str, Any]:
    return {
        "phase": step.phase,
        "path": step.path,
        "title": step.title,
        "formula": step.formula,
        "arrays": [_plain_array(array) for array in step.arrays],
        "applied": [
            {"entry": one.entry, "text": one.text, "value": _number(one.value), "condition": one.condition}
            for one in step.applied
        ],
        "checks": [
            {
                "entry": one.entry,
                "gradient": _number(one.gradient),
                "numerical": _number(one.numerical),
                "kink": one.kink,
                "wrong": one.wrong,
            }
            for one in step.checks
        ],
        "notes": step.notes,
    }


def _plain_array(array: TracedArray) -> dict[str, Any]:
    low, high = array.range
    return {
        "name": array.name,
        "what": array.what,
        "shape": array.shape,
        "min": _number(low),
        "max": _number(high),
        "values": _nested(array.values) if array.small else None,
    }


def _nested(values: Array) -> Any:
    """Return an array as nested lists, with None for numbers that are not finite."""
    return _number(float(values)) if values.ndim == 0 else [_nested(part) for part in values]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
