"""`nnfs info`: describe the installation for a bug report."""

from __future__ import annotations

import sys
import textwrap
from typing import Any

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Json, Quiet
from nnfs_cli.cli.terminal import print_json, suggest, width_of

LABEL = 14  # characters


@manual("nnfs info", "nnfs info --json", guide="guarantees")
def info(json: Json = False, quiet: Quiet = False) -> None:
    """Print versions, machine, BLAS and threads, for a bug report."""
    found = _collect()
    if json:
        print_json(found)
        return
    packages = found.pop("packages")
    variables = found.pop("variables")
    for label, value in {**found, **packages, **variables}.items():
        line, width = f"{label:<{LABEL - 1}} {value}", width_of(sys.stdout)
        lines = textwrap.wrap(line, width, subsequent_indent=" " * LABEL) if width else [line]
        print("\n".join(lines))
    suggest("paste these lines into the bug report", quiet)


def _collect() -> dict[str, Any]:
    """Return what is known about the installation, as plain JSON without paths."""
    from importlib.metadata import PackageNotFoundError, version

    from nnfs_cli import __version__
    from nnfs_cli.runs.environment import describe_environment

    environment = describe_environment()
    packages = dict(environment["packages"])
    for name in ("typer", "rich", "numba"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "not installed"
    packages.pop("nnfs-cli", None)
    blas = environment["blas"]
    return {
        "nnfs": __version__,
        "python": environment["python"],
        "platform": environment["platform"],
        "machine": environment["machine"],
        "processor": environment["processor"],
        "cores": environment["cores"],
        "blas": " ".join(str(blas[key]) for key in ("name", "version", "kernels") if key in blas),
        "threads": environment["threads"],
        "packages": packages,
        "variables": environment["variables"],
    }
