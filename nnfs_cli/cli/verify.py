"""`nnfs verify`: check that a run can be reproduced."""

from __future__ import annotations

from typing import Annotated

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Quiet, RunFolder, open_to_train
from nnfs_cli.cli.paths import run_meant
from nnfs_cli.cli.terminal import fact, print_json
from nnfs_cli.display.text import number
from nnfs_cli.system.wording import listing


@manual(
    "nnfs verify runs/breast_cancer-1",
    "nnfs verify runs/breast_cancer-1 --quiet --json",
    guide="guarantees",
)
def verify(
    run: RunFolder = None,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0.0,
            metavar="SHARE",
            help="Largest accepted difference of a figure on another machine or with other versions, relative to the"
            " figure or to 1, whichever is larger.",
        ),
    ] = 0.01,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Train RUN again from its own record and compare the results.

    On the machine and with the versions of the run, all bytes of the weights, the log and the figures must be the same,
    except for the seconds that training took. Elsewhere the final figures must agree within the tolerance.
    """
    opened = open_to_train(run_meant(run, quiet), code)
    from nnfs_cli import workflows
    from nnfs_cli.display.progress import progress_for

    found = workflows.verify(opened, tolerance, progress_for(not quiet))
    path = opened.path.as_posix()
    if found.moved:
        fact("changed", listing(found.moved))
    if json:
        print_json({"run": path, "exact": found.exact, "largest": found.largest, "moved": found.moved})
    elif found.exact:
        print(f"{path} is reproduced byte for byte: weights, log and figures")
    else:
        print(f"{path} is reproduced within the tolerance: figures differ by up to {number(found.largest)}")
