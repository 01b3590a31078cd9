"""`nnfs train`: train the net that a config describes."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, ConfigFile, Json, NoReport, Overrides, Quiet, Track, chosen_trackers, read
from nnfs_cli.errors import UserError


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
    track: Track = None,
    no_report: NoReport = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Serve the growing report to the browser on this machine while it trains.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="N", help="Port for --watch; by default a free one.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page of --watch in the browser.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Train the net that CONFIG describes.

    The last line on stdout is the run directory, which holds the trained net, the log, the figures and a page that
    shows them. Ctrl-C stops after the current batch and keeps what was learned; `nnfs resume` continues.
    """
    if not watch and (port is not None or open_):
        raise UserError(f"{'--open' if open_ else '--port'} is for --watch; `nnfs report RUN --open` opens a report")
    spec = read(config, set_, code)
    from nnfs_cli import workflows
    from nnfs_cli.cli.report_training import announce, announce_trackers, conduct
    from nnfs_cli.cli.terminal import fact
    from nnfs_cli.display.progress import progress_for
    from nnfs_cli.tracking.trackers import merged

    spec = spec.model_copy(update={"track": merged(spec.track, chosen_trackers(track))})
    with contextlib.ExitStack() as ends:
        server = None
        if watch:
            from nnfs_cli.report.watch import Watch

            server = ends.enter_context(Watch(port or 0))
        experiment = workflows.prepare(spec)
        if not quiet:
            announce(experiment)
        run = workflows.begin(experiment, runs)
        if not quiet:
            announce_trackers(experiment, run)
        if server is not None:
            server.show(run, experiment)
            fact("watch", server.url)
        if server is not None and open_:
            import webbrowser

            webbrowser.open(server.url)
        callbacks = progress_for(not quiet, experiment.config.checkpoint)
        training = partial(workflows.train, experiment, run, callbacks)
        conduct(training, experiment, run, quiet=quiet, json=json, report=not no_report, watch=server)
