"""`nnfs info`: describe the installation for a bug report."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
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
    """Return what is known about the installation, as plain JSON without the path of the user's home."""
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
        "engine": _engine(),
        "packages": packages,
        "variables": environment["variables"],
    }


def _engine() -> str:
    """Return which engine trains by default, and where the machine code of compiled nets is kept."""
    import numpy as np

    from nnfs_cli.system.machine_code import cache
    from nnfs_cli.system.machine_code.blas import gemm_address
    from nnfs_cli.system.machine_code.loader import why_not_compile

    if reason := why_not_compile():
        return f"numpy; the compiled engine cannot be used: {reason}"
    if gemm_address(np.dtype(np.float32)) is None:
        return "numpy; the compiled engine does not know the BLAS library of this NumPy"
    try:
        place, home = cache.folder(), Path.home()
    except (OSError, RuntimeError):
        return "compiled; no folder keeps its machine code"
    shown = Path("~", place.relative_to(home)) if place.is_relative_to(home) else place
    return f"compiled; its machine code is kept in {shown}"
