"""`nnfs train`: from a config to a run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.options import Code, Json, Overrides, Quiet, read


def train(
    config: Annotated[Path, typer.Argument(help="The YAML file that says what to learn and how.")],
    set_: Overrides = None,
    runs: Annotated[Path, typer.Option(help="The folder in which the run directory is made.")] = Path("runs"),
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Train the net that CONFIG describes.

    Prints the run directory, as the last line on stdout. Ctrl-C ends training after the batch; `nnfs resume` goes on.
    """
    spec = read(config, set_, code)
    from nnfs_cli import workflows
    from nnfs_cli.cli.progress import watcher
    from nnfs_cli.cli.report_training import announce, conduct

    experiment = workflows.prepare(spec)
    if not quiet:
        announce(experiment)
    run = workflows.begin(experiment, runs)
    watching = [] if quiet else [watcher()]
    conduct(lambda: workflows.train(experiment, run, watching), run, experiment.config, quiet, json)
