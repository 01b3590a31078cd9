"""`nnfs predict`: the answers of a run to new rows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.choices import Code, Weights, load
from nnfs_cli.cli.output import fact, from_threshold
from nnfs_cli.errors import UserError, counted


def predict(
    input: Annotated[
        Path, typer.Option(help="The rows: a CSV, Parquet or npz file with the columns the run was trained on.")
    ],
    run: Annotated[Path | None, typer.Option(help="The run directory; the newest one unless given.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where to write the CSV; to stdout unless given.")] = None,
    weights: Weights = "best",
    runs: Annotated[Path, typer.Option(help="The folder in which the newest run is looked for.")] = Path("runs"),
    code: Code = None,
) -> None:
    """Predict the target of every row of a file, as CSV.

    Columns are matched by name, in any order; others, the target among them, are ignored.
    """
    load(code)
    from nnfs_cli import tasks
    from nnfs_cli.data.csv import write_csv
    from nnfs_cli.files import write_whole
    from nnfs_cli.runs import Run

    opened = Run.open(run) if run else Run.newest(runs)
    if run is None:
        fact("run", f"{opened.path.as_posix()}, the newest")
    if output is not None and output.suffix.lower() not in (".csv", ".txt"):
        raise UserError(f"{output}: predictions are written as CSV; name a file that ends in .csv")
    if output is not None and output.exists() and output.samefile(input):
        raise UserError(f"{output} is the input; name another file for the predictions")
    if weights == "best" and (decision := opened.decision()):
        fact("threshold", f"{from_threshold(decision)}, as it was chosen by nnfs evaluate")
    columns = tasks.predict(opened, input, weights)
    if output is None:
        sys.stdout.flush()
        write_csv(columns, sys.stdout.buffer)
        sys.stdout.flush()
    else:
        write_whole(output, lambda file: write_csv(columns, file))
        n_rows = len(next(iter(columns.values())))
        fact("output", f"{output.as_posix()}, {counted(n_rows, 'prediction')}")
