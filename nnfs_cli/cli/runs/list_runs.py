"""`nnfs runs`: list the runs of a folder."""

from __future__ import annotations

import math
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.completion import complete_run_filter
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Json, Quiet
from nnfs_cli.cli.terminal import fact, print_json, suggest, width_of
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import duration, narrow_table, number

if TYPE_CHECKING:
    from nnfs_cli.runs.overview import RunOverview


class Order(StrEnum):
    """The orders of `--sort`."""

    started = "started"
    name = "name"
    state = "state"
    data = "data"
    epochs = "epochs"
    best = "best"
    seconds = "seconds"


RunsFolder = Annotated[Path, typer.Option("--folder", metavar="FOLDER", help="Folder that holds the runs.")]

By = Annotated[
    str | None,
    typer.Option(
        metavar="FIGURE",
        help="Figure to compare runs by, such as accuracy, train_loss or test_rmse; by default the one that chose the"
        " best epoch.",
    ),
]


@manual(
    "nnfs runs",
    "nnfs runs --filter state=finished --sort best --by accuracy",
    guide="runs",
)
def runs(
    context: typer.Context,
    folder: RunsFolder = Path("runs"),
    sort: Annotated[
        Order,
        typer.Option(
            metavar="ORDER",
            help="started (the newest first), name, state, data, epochs, best or seconds.",
        ),
    ] = Order.started,
    filter_: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="KEY=VALUE",
            help="List only the runs that fit, such as state=finished, name=houses-*, config=, data= or loss=."
            " Repeatable.",
            autocompletion=complete_run_filter,
        ),
    ] = None,
    by: By = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the runs of a folder: state, epochs, best figure, time and data of each.

    A run is running, finished, interrupted (`nnfs resume` continues it), diverged, failed or damaged.
    """
    if context.invoked_subcommand is not None:
        return
    from nnfs_cli.runs.overview import runs_in
    from nnfs_cli.runs.selection import in_order, matching

    everything = runs_in(folder)
    found = in_order(matching(everything, filter_ or ()), sort.value, by)
    if json:
        print_json({"folder": folder.as_posix(), "runs": [plain_overview(run, by) for run in found]})
        return
    if found:
        print(_listed(found, by))
    elif not quiet:
        which = " that fits" if everything else ""
        note(f"there is no run{which} in {folder.as_posix()}")
    if not quiet:
        for run in found:
            if run.problem:
                fact("damaged", run.problem, "warning")
        if found:
            suggest(f"nnfs runs show {found[0].path.as_posix()}")


def _listed(runs: list[RunOverview], by: str | None) -> str:
    """Lay out runs as a table, without its last columns where the terminal is too narrow."""
    from nnfs_cli.runs.selection import figure_of

    named = {figure_of(run, by)[0] for run in runs if figure_of(run, by)[1] is not None}
    (only,) = named if len(named) == 1 else ("best",)
    header, rows, texts = ["run", "state", "epochs", only, "time", "started", "data"], [], (0, 1, 5, 6)
    for run in runs:
        best = best_of(run, by) if len(named) > 1 else number(figure_of(run, by)[1])
        rows.append([run.name, run.state, _epochs(run), best, duration(run.seconds), _moment(run.begun), run.data])
    return narrow_table(header, rows, (width_of(sys.stdout) or math.inf) - 1, texts)


def best_of(run: RunOverview, by: str | None = None) -> str:
    """Return the figure to compare a run by, as in "val_loss 0.0588"."""
    from nnfs_cli.runs.selection import figure_of

    name, value = figure_of(run, by)
    return "-" if value is None else f"{name} {number(value)}"


def _epochs(run: RunOverview) -> str:
    """Return how many epochs were trained, and of how many, unless these were all."""
    if run.epochs is None:
        return "-"
    of = f" of {run.planned:,}" if run.planned not in (None, run.epochs) else ""
    return f"{run.epochs:,}{of}"


def _moment(moment: datetime | None) -> str:
    """Return a moment in the time zone of this machine."""
    return "-" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def plain_overview(run: RunOverview, by: str | None = None) -> dict[str, Any]:
    """Return what is known of a run, for JSON."""
    from nnfs_cli.runs.selection import figure_of

    name, value = figure_of(run, by)
    return {
        "run": run.path.as_posix(),
        "state": run.state,
        "locked": run.locked,
        "problem": run.problem or None,
        "config": run.config,
        "data": run.data,
        "epochs": run.epochs,
        "planned": run.planned,
        "best_epoch": run.best_epoch,
        "figure": name,
        "best": value,
        "figures": run.figures,
        "seconds": run.seconds,
        "begun": run.begun and run.begun.isoformat(),
        "since": run.since and run.since.isoformat(),
    }
