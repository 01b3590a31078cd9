"""`nnfs verify`: whether a run is what its own record leads to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.options import Code, Json, Quiet, recorded
from nnfs_cli.cli.terminal import fact, number, print_json
from nnfs_cli.system.wording import listing


def verify(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    tolerance: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="How far figures may be apart on another machine or with other versions, relative to the figure, or to"
            " 1 where that is larger.",
        ),
    ] = 0.01,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Train RUN again by its own record, somewhere else, and compare.

    Where it was made, every byte of the weights, the log and the figures has to be the same, but for the time it took;
    on another machine or with other versions the final figures have to be, within a tolerance.
    """
    opened = recorded(run, code)
    from nnfs_cli import workflows
    from nnfs_cli.cli.progress import watcher

    verdict = workflows.verify(opened, tolerance, [] if quiet else [watcher()])
    path = opened.path.as_posix()
    if verdict.moved:
        fact("elsewhere", listing(verdict.moved))
    if json:
        print_json({"run": path, "exact": verdict.exact, "largest": verdict.largest, "moved": verdict.moved})
    elif verdict.exact:
        print(f"{path} is what its record leads to: weights, log and figures are the same, byte for byte")
    else:
        print(f"{path} agrees with its record: figures are up to {number(verdict.largest)} apart")
