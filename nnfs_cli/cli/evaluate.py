"""`nnfs evaluate`: how good a run is on rows it did not learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.choices import Part, Weights
from nnfs_cli.cli.output import number, print_json, table
from nnfs_cli.errors import UserError


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    split: Annotated[
        list[Part] | None, typer.Option(help="Which rows; those held back from training unless given. Repeatable.")
    ] = None,
    input: Annotated[Path | None, typer.Option(help="Rows of another file, with the target.")] = None,
    weights: Annotated[Weights, typer.Option(help="Those of the best epoch, or of the last.")] = Weights.best,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Print the loss and the metrics of RUN on the rows that were held back."""
    if split and input:
        raise UserError("give either --split or --input, not both")
    from nnfs_cli import tasks
    from nnfs_cli.runs import Run

    opened = Run.open(run)
    metrics = tasks.evaluate(opened, [part.value for part in split] if split else None, input, weights.value)
    if json:
        print_json({"run": opened.path.as_posix(), "metrics": metrics})
        return
    names = list(next(iter(metrics.values())))
    print(table(["split", *names], [[part, *map(number, figures.values())] for part, figures in metrics.items()]))
