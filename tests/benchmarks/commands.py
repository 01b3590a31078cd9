"""Time commands beside the imports that their users pay anyway."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.benchmarks.part import ROOT, Found, as_installed, described, say

PACKAGES = ("numpy", "numba", "scikit-learn", "pyarrow", "typer")
NNFS = [sys.executable, "-m", "nnfs_cli"]

Command = list[str]
Pairs = dict[str, tuple[Command, Command]]  # by what they do: our command, and the other one


def python(program: str) -> Command:
    """The command that runs it."""
    return [sys.executable, "-c", program]


def run(command: Command, folder: Path) -> float:
    """Seconds that it takes as a whole."""
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def startup(folder: Path) -> Pairs:
    """What is paid before anything is computed."""
    return {
        "`nnfs --help` / `import typer`": ([*NNFS, "--help"], python("import typer")),
        "`nnfs train configs/breast_cancer.yaml` / `import sklearn.datasets`": (
            [*NNFS, "train", str(ROOT / "configs" / "breast_cancer.yaml")],
            python("import sklearn.datasets"),
        ),
    }


def measure(turns: int, cases: Callable[[Path], Pairs]) -> dict[str, list[tuple[float, float]]]:
    """Seconds of ours and of the other, in turns."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        pairs = cases(folder)
        for ours, other in pairs.values():  # once before, for what is read from the disk
            run(ours, folder), run(other, folder)
        return {
            what: [(run(ours, folder), run(other, folder)) for _ in range(turns)]
            for what, (ours, other) in pairs.items()
        }


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def measured(given: argparse.Namespace) -> Found:
    """Seconds of ours and of the other, in turns, by what they do."""
    found: dict[str, list[tuple[float, float]]] = {}
    with as_installed():
        say(str(startup.__doc__))
        found |= measure(given.turns, startup)
    return {"turns": given.turns, "commands": found}


def markdown(found: Found) -> str:
    """A row for each command."""
    lines = [
        described(found) + f"Each figure is the median of {found['turns']} turns.",
        "",
        "| command / compared with | seconds | seconds of the other | ratio |",
        "|---|---:|---:|---:|",
    ]
    for what, pairs in found["commands"].items():
        ours, other = (median(side) for side in zip(*pairs, strict=True))
        lines.append(f"| {what} | {ours:.2f} | {other:.2f} | {median(a / b for a, b in pairs):.2f} |")
    return "\n".join(lines) + "\n"
