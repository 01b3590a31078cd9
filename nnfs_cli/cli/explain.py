"""`nnfs explain`: which columns a net relies on, and how."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from nnfs_cli.cli.completion import complete_table
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Query, Quiet, RunFolder, load
from nnfs_cli.cli.paths import open_run, rows_at, run_meant
from nnfs_cli.cli.terminal import print_json, suggest


@manual(
    "nnfs explain runs/breast_cancer-1",
    "nnfs explain runs/breast_cancer-1 --columns 3 --json",
    guide="explain",
)
def explain(
    run: RunFolder = None,
    input: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Explain on the rows of another file, or of a database with --query, at a path or a URL. They must"
            " have the target column.",
            autocompletion=complete_table,
        ),
    ] = None,
    query: Query = None,
    columns: Annotated[
        int, typer.Option(min=0, metavar="K", help="Main columns, whose curves and pairs are shown.")
    ] = 6,
    repeats: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="How often cells are shuffled; by default 5 times, and up to 20 times for few rows.",
        ),
    ] = None,
    code: Code = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show which columns matter to RUN, how its predictions depend on them, and which act together.

    A column matters if held-out rows are predicted worse when its cells are shuffled among them. The result for the
    run's own rows is kept in the run, and `nnfs report` shows it. At most 10,000 rows are looked at.
    """
    load(code)
    from nnfs_cli.display.status_line import status_line
    from nnfs_cli.explain.explanation import explain as explained

    opened = open_run(run_meant(run, quiet))
    rows = rows_at(input, query) if input else None
    with status_line(not quiet) as told:
        found = explained(opened, rows, columns, repeats, told=told)
    path = opened.path.as_posix()
    if json:
        print_json({"run": path, **found.plain()})
        return
    from nnfs_cli.cli.explain_text import print_explanation, print_rows

    print_rows(found, opened.path.name)
    print()
    print_explanation(found)
    if input is None:
        suggest(f"nnfs report {shlex.quote(path)} shows this with charts", quiet)
