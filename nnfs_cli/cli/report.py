"""`nnfs report`: show a run, or compare runs, as a page for the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.completion import complete_run
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Quiet, load
from nnfs_cli.cli.paths import open_run, run_meant
from nnfs_cli.cli.terminal import print_json, suggest
from nnfs_cli.errors import UserError

COMPARISON = "comparison.html"


@manual(
    "nnfs report runs/breast_cancer-1 --open",
    "nnfs report runs/breast_cancer-1 runs/breast_cancer-2 --quiet",
    guide="report",
)
def report(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN...",
            help="Run directories; several are compared with the first. By default the newest run.",
            autocompletion=complete_run,
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File to write; by default report.html in the run, or comparison.html beside the first of several.",
        ),
    ] = None,
    no_rows: Annotated[bool, typer.Option("--no-rows", help="Leave out all rows of the data.")] = False,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Score simple baseline models on the same rows too.")
    ] = False,
    code: Code = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a page that shows RUN: curves, figures, right and wrong predictions, and the rows that it gets most wrong.

    The page holds everything it needs and loads nothing, so you can send it as one file; it shows a few rows of your
    data unless --no-rows leaves them out. `nnfs train` writes it at the end of a training.
    """
    meant = [run_meant(run, quiet) for run in runs] if runs else [run_meant(None, quiet)]
    if len(meant) > 1 and (no_rows or baselines):
        raise UserError("--no-rows and --baselines are for the report of a single run; a comparison has no rows")
    load(code)
    opened = [open_run(run) for run in meant]
    if len(opened) == 1:
        from nnfs_cli.report.run_facts import RunFacts
        from nnfs_cli.report.write import write_report

        path = write_report(RunFacts(opened[0], rows=not no_rows, baselines=baselines, thorough=True), output)
    else:
        from nnfs_cli.report.comparison_report import comparison_report
        from nnfs_cli.report.write import write_page

        path = write_page(comparison_report(opened), output or opened[0].path.parent / COMPARISON)
    if json:
        print_json({"report": path.as_posix(), "runs": [run.path.as_posix() for run in opened]})
    else:
        print(path.as_posix())
    if open_:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())
    else:
        suggest("open the page in a browser, or give --open", quiet or json)
