"""`nnfs runs compare`: say how runs differ, in their settings and in their figures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.completion import complete_run
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Quiet, load
from nnfs_cli.cli.paths import open_run, run_meant
from nnfs_cli.cli.terminal import fact, print_json, width_of
from nnfs_cli.display.text import markdown_table, table
from nnfs_cli.errors import UserError

if TYPE_CHECKING:
    from nnfs_cli.display.run_comparison import Table
    from nnfs_cli.workflows.compare_runs import RunComparison


@manual(
    "nnfs runs compare runs/breast_cancer-1 runs/breast_cancer-2",
    "nnfs runs compare runs/breast_cancer-1 runs/breast_cancer-2 --markdown",
    guide="runs",
)
def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Two or more run directories. The others are compared with the first.",
            autocompletion=complete_run,
        ),
    ],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print tables in Markdown.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Compare runs: the settings that differ, the figures, and the differences on the rows that both hold out.

    If two runs hold out the same rows, both nets predict them again: a difference with an interval that excludes 0 is
    more than the choice of the rows explains. Another seed may change a figure more than that.
    """
    if markdown and json:
        raise UserError("give either --markdown or --json, not both")
    load(code)
    from nnfs_cli.workflows.compare_runs import compare_runs

    found = compare_runs([open_run(run_meant(run)) for run in runs])
    if json:
        print_json(_plain(found))
        return
    print("\n\n".join(_tables(found, markdown)))
    if not quiet:
        for name, why in found.unpaired.items():
            fact("not paired", f"{name}: {why}")


def _tables(found: RunComparison, markdown: bool) -> Iterator[str]:
    """Yield the tables of a comparison. On a terminal, a table that is too wide becomes a list."""
    from nnfs_cli.display.run_comparison import BEST, difference_tables, figure_tables, settings_table

    settings, figures = settings_table(found), [*figure_tables(found)]
    if not settings.rows:
        yield "no setting differs"
    below = "\n\n" if markdown else "\n"
    for one in (settings, *figures, *difference_tables(found)):
        if one.rows:
            text = markdown_table([one.header, *one.rows]) if markdown else _fitting(one)
            yield f"{one.title}{below}{text}" if one.title else text
    if any(BEST in cell for one in figures for row in one.rows for cell in row):
        yield f"{BEST} best"


def _fitting(one: Table) -> str:
    """Lay out a table, or a list of its cells where it would be wider than the terminal."""
    header, rows, _ = one
    text, width = "\n".join(map(str.rstrip, table(header, rows).splitlines())), width_of(sys.stdout) or 120
    if max(map(len, text.splitlines())) < width:
        return text
    left = max(map(len, header[1:]))
    blocks = ["\n".join([row[0], *_labelled(header[1:], row[1:], left)]) for row in rows]
    return "\n".join([header[0], *blocks])


def _labelled(labels: list[str], cells: list[str], left: int) -> Iterator[str]:
    for label, cell in zip(labels, cells, strict=True):
        yield f"  {label.strip():<{left}}  {cell.strip()}"


def _plain(found: RunComparison) -> dict[str, Any]:
    """Return all that was found, for JSON."""
    from nnfs_cli.workflows.figures import finite

    return {
        "runs": {name: run.path.as_posix() for name, run in found.runs.items()},
        "settings": found.settings,
        "figures": {
            split: {name: finite(values) for name, values in figures.items()}
            for split, figures in found.figures.items()
        },
        "best": {
            split: {name: found.best(split, name) for name in figures if name in found.modes}
            for split, figures in found.figures.items()
        },
        "differences": {
            run: {
                split: {"rows": rows, "figures": {name: finite(one._asdict()) for name, one in figures.items()}}
                for split, (rows, figures) in of_run.items()
            }
            for run, of_run in found.differences.items()
        },
        "not_paired": found.unpaired,
    }
