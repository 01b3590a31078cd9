"""`nnfs resume`: from where a run was left to its end, or further."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.options import Code, Json, Quiet, recorded


def resume(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How many there are to be, all in all; as planned unless given.")
    ] = None,
    changed_data: Annotated[
        bool, typer.Option("--changed-data", help="Go on although the data is not what it was.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Take up the training of RUN where it was left, or train it for more epochs.

    On the same machine and with the same versions, the result is byte for byte that of a training without a break.
    Prints the run directory, as the last line on stdout.
    """
    opened = recorded(run, code)
    from nnfs_cli import workflows
    from nnfs_cli.cli.progress import Resumed, watcher
    from nnfs_cli.cli.report_training import announce, conduct

    experiment = workflows.reopen(opened, epochs, changed_data)
    if not quiet:
        announce(experiment)
    watching = [] if quiet else [Resumed(), watcher()]
    conduct(lambda: workflows.resume(experiment, opened, watching), opened, experiment.config, quiet, json)
