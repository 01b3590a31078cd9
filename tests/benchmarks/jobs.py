"""Time whole jobs, from the start of the process to a model on disk, beside PyTorch, JAX, Keras and scikit-learn.

Each reads the same CSV file and trains the same net for the same epochs, in a new process each time, with warm disks
and the compiled code that earlier processes have kept. They take turns. The scripts are in
`tests/benchmarks/whole_jobs/`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.part import ROOT, Found, as_installed, described, installed, say
from tests.benchmarks.race import caches

PACKAGES = ("numpy", "numba", "torch", "jax", "keras", "scikit-learn")
SCRIPTS = Path(__file__).parent / "whole_jobs"


@dataclass(frozen=True)
class Job:
    """A table of two classes and a net."""

    rows: int
    columns: int
    hidden: tuple[int, ...]
    epochs: int = 30
    batch: int = 64

    @property
    def name(self) -> str:
        """What the table of results says."""
        net = "-".join(map(str, (self.columns, *self.hidden, 1)))
        return f"{self.rows:,} x {self.columns}, {net}"

    def write(self, folder: Path) -> None:
        """Write the table and the config of nnfs."""
        import yaml

        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.rows, self.columns), np.float32) * rng.uniform(0.5, 20, self.columns)
        score = (
            np.tanh(X[:, 0] * X[:, 1] / 50) + np.sin(X[:, 2] / 10) + X[:, 3:] @ rng.normal(size=self.columns - 3) / 99
        )
        table = np.column_stack([X, score + 0.3 * rng.standard_normal(self.rows) > np.median(score)])
        header = ",".join([*(f"x{j}" for j in range(self.columns)), "y"])
        form = ["%.5g"] * self.columns + ["%d"]
        np.savetxt(folder / "rows.csv", table, form, delimiter=",", header=header, comments="")
        layers: list[Any] = [layer for width in self.hidden for layer in ({"linear": width}, "relu")]
        config = {
            "dataset": {"csv": {"path": "rows.csv", "target": "y"}},
            "split": {"validation": 0.2},
            "layers": [*layers, {"linear": 1}, "sigmoid"],
            "loss": "binary_cross_entropy",
            "optimizer": "adam",
            "lr": 0.001,
            "batch_size": self.batch,
            "epochs": self.epochs,
        }
        (folder / "job.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")

    def commands(self) -> dict[str, tuple[list[str], dict[str, str]]]:
        """The command of each contestant that is installed, and its variables."""
        train = [sys.executable, "-m", "nnfs_cli", "train", "job.yaml"]
        numpy = {"NUMBA_DISABLE_JIT": "1"}
        found: dict[str, tuple[list[str], dict[str, str]]] = {
            "nnfs train": (train, {}),
            "nnfs train --no-report": ([*train, "--no-report"], {}),
            "nnfs train, NumPy": (train, numpy),
        }
        sizes = ["--hidden", *map(str, self.hidden), "--batch", str(self.batch), "--epochs", str(self.epochs)]

        def script(name: str, weights: str) -> list[str]:
            return [sys.executable, str(SCRIPTS / f"{name}.py"), "rows.csv", weights, *sizes]

        found["scikit-learn"] = (script("with_scikit_learn", "weights.pickle"), {})
        if installed("torch"):
            found["PyTorch"] = (script("with_pytorch", "weights.pt"), {})
        if installed("jax"):
            jax = script("with_jax", "weights.npz")
            found |= {"JAX": (jax, {"JAX_ENABLE_COMPILATION_CACHE": "false"}), "JAX, kept code": (jax, {})}
        if installed("keras") and installed("jax"):  # on PyTorch, Keras takes several times as long
            found["Keras on JAX"] = (script("with_keras", "net.weights.h5"), {"KERAS_BACKEND": "jax"})
        return found


JOBS = (
    Job(500, 20, (64, 64)),
    Job(2_000, 20, (64, 64)),
    Job(5_000, 20, (64, 64)),
    Job(20_000, 20, (64, 64)),
    Job(5_000, 200, (256, 256)),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Which contestants."""
    parser.set_defaults(turns=3)
    parser.add_argument("--contestants", nargs="+", metavar="NAME", help="only these")


def timed(command: list[str], folder: Path, variables: Mapping[str, str]) -> tuple[float, float, float]:
    """Seconds, CPU seconds and megabytes at the most, of a process and its children."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr
    with process.stderr:
        said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{said.decode()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measured(given: argparse.Namespace) -> Found:
    """By job and contestant: seconds, CPU seconds and megabytes of every turn."""
    found: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    with tempfile.TemporaryDirectory(prefix="nnfs-jobs-") as kept, as_installed(PYTHONPATH=str(ROOT), **caches(kept)):
        for job in JOBS[:1] if given.quick else JOBS:
            say(job.name)
            with tempfile.TemporaryDirectory(prefix="nnfs-job-") as name:
                folder = Path(name)
                job.write(folder)
                commands = job.commands()
                if given.contestants:
                    commands = {name: of for name, of in commands.items() if name in given.contestants}
                for command, variables in commands.values():  # for the disk and the caches
                    timed(command, folder, variables)
                of_job: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
                for turn in range(given.turns):
                    say(f"  turn {turn + 1}")
                    for name, (command, variables) in commands.items():
                        of_job[name].append(timed(command, folder, variables))
                found[job.name] = of_job
    return {"turns": given.turns, "epochs": JOBS[0].epochs, "batch": JOBS[0].batch, "jobs": found}


def table(found: Found, column: int, corner: str) -> list[str]:
    """A row for each contestant: the medians of a column of the figures."""
    jobs = found["jobs"]
    lines = [f"| {corner} | " + " | ".join(jobs) + " |", "|---|" + "---:|" * len(jobs)]
    for name in next(iter(jobs.values())):
        cells = []
        for of_job in jobs.values():
            ours = [turn[column] for turn in of_job["nnfs train"]]
            theirs = [turn[column] for turn in of_job[name]]
            ratio = median(b / a for a, b in zip(ours, theirs, strict=True))
            cells.append(f"**{median(ours):.2f}**" if theirs == ours else f"{median(theirs):.2f} ({ratio:.1f} x)")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def markdown(found: Found) -> str:
    """Seconds and CPU seconds."""
    about = (
        f"{found['epochs']} epochs, a batch of {found['batch']}. Each figure is the median of {found['turns']} turns."
    )
    lines = [described(found) + about, "", *table(found, 0, "seconds"), "", *table(found, 1, "CPU seconds")]
    return "\n".join(lines) + "\n"
