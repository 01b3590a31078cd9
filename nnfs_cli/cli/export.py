"""`nnfs export`: write the model of a run in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Quiet, RunFolder, Weights, load
from nnfs_cli.cli.paths import open_run, run_meant
from nnfs_cli.cli.terminal import print_fact, print_json


@manual(
    "nnfs export runs/breast_cancer-1 --to python",
    "nnfs export runs/breast_cancer-1 --to onnx --output model.onnx",
    guide="export",
)
def export(
    run: RunFolder = None,
    to: Annotated[
        str, typer.Option("--to", metavar="FORMAT", help="Format of the file: onnx, python, c, page or sql.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write; by default one named after the run, in this folder."),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(metavar="LEVEL", help="Add an interval, or a set of classes, for this probability, such as 0.9."),
    ] = None,
    weights: Weights = "best",
    code: Code = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the model of RUN, preprocessing included, as a file that predicts without nnfs.

    Before a file is written, it predicts 1,000 made-up rows and up to 1,000 held-out rows in its own runtime. If any
    prediction differs from that of the run, nothing is written. onnx and page need the extra `export`, and c needs a C
    compiler.
    """
    load(code)
    from nnfs_cli.display.status_line import status_line
    from nnfs_cli.export.export import export as exported

    opened = open_run(run_meant(run, quiet))
    with status_line(not quiet) as told:
        found = exported(opened, to, output, interval=interval, weights=weights, told=told)
    if json:
        print_json({"run": opened.path.as_posix(), **found.plain()})
        return
    for path in found.files:
        print(path.as_posix())
    if not quiet:
        print_fact("proof", str(found.proof), "dim")
