"""`nnfs train`: train the net that a config describes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, ConfigFile, Json, NoReport, Overrides, Quiet, read


@manual(
    "nnfs train configs/breast_cancer.yaml",
    "nnfs train configs/breast_cancer.yaml --set epochs=20 --set optimizer=adam",
    guide="training",
)
def train(
    config: ConfigFile,
    set_: Overrides = None,
    runs: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder in which the run directory is created.")] = Path(
        "runs"
    ),
    no_report: NoReport = False,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Train the net that CONFIG describes.

    The last line on stdout is the run directory, which holds the trained net, the log, the figures and a
    page that shows them. Ctrl-C stops
    after the current batch and keeps what was learned; `nnfs resume` continues.
    """
    spec = read(config, set_, code)
    from nnfs_cli import workflows
    from nnfs_cli.cli.report_training import announce, conduct
    from nnfs_cli.display.progress import progress_for

    experiment = workflows.prepare(spec)
    if not quiet:
        announce(experiment)
    run = workflows.begin(experiment, runs)
    callbacks = progress_for(not quiet, experiment.config.checkpoint)
    training = partial(workflows.train, experiment, run, callbacks)
    conduct(training, experiment, run, quiet=quiet, json=json, report=not no_report)
