"""`nnfs resume`: continue the training of a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, NoReport, Quiet, RunFolder, Track, chosen_trackers, load, open_to_train
from nnfs_cli.cli.paths import run_meant
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import listing


@manual(
    "nnfs resume runs/breast_cancer-1 --epochs 40",
    "nnfs resume runs/breast_cancer-1 --epochs 60 --quiet --json",
    guide="training",
)
def resume(
    run: RunFolder = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Train up to this epoch; by default, up to the last planned epoch."),
    ] = None,
    changed_data: Annotated[
        bool, typer.Option("--changed-data", help="Continue although the data has changed since the run was trained.")
    ] = False,
    track: Track = None,
    no_report: NoReport = False,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Resume the training of RUN, or train it for more epochs.

    On the same machine with the same versions, the weights have the same bytes as without the interruption.
    The last line on stdout is the run directory.
    """
    from nnfs_cli.runs.search_directory import SearchDirectory

    if run is not None and SearchDirectory.is_at(run):
        _go_on(run, {"--epochs": epochs, "--changed-data": changed_data, "--track": track}, json, quiet, code)
        return
    opened = open_to_train(run_meant(run, quiet, "unfinished"), code)
    from nnfs_cli import workflows
    from nnfs_cli.cli.report_training import Resumed, conduct
    from nnfs_cli.display.progress import progress_for

    experiment = workflows.reopen(opened, epochs, changed_data, trackers=chosen_trackers(track))
    shown = [] if quiet else progress_for(True, experiment.config.checkpoint, opened.epochs())
    callbacks = [] if quiet else [Resumed(experiment, opened), *shown]
    training = partial(workflows.resume, experiment, opened, callbacks)
    conduct(training, experiment, opened, quiet=quiet, json=json, report=not no_report)


def _go_on(search: Path, given: dict[str, object], json: bool, quiet: bool, code: list[Path] | None) -> None:
    """Go on with a search, as `nnfs tune` does."""
    if refused := [option for option, value in given.items() if value]:
        raise UserError(f"{search} is a search; leave out {listing(refused)}")
    from nnfs_cli.cli.tune import conduct, reopened

    load(code)
    conduct(reopened(search), None, json=json, quiet=quiet, code=code)
