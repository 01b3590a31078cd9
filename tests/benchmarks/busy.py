"""Time jobs on a busy machine: beside two other processes that never sleep.

Threads that wait for each other in busy loops would take several times the processor time there. The fair share is the
time that a job of one thread would take if the cores were divided evenly among it and the other processes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from nnfs_cli.system.threads import available_cores
from tests.benchmarks.part import Found, as_installed, described, installed, say

PACKAGES = ("numpy", "numba")
NNFS = [sys.executable, "-m", "nnfs_cli"]
OTHERS = 2  # busy processes
PRESET = "dataset: {csv: {path: table.csv, target: y}}\n"
WIDE = "dataset: {csv: {path: wide.csv, target: y}}\nlayers: [linear: 1024, relu, linear: 1024, relu, linear: 1]\n"
WIDE += "loss: mse\noptimizer: adam\nlr: 0.001\nbatch_size: 1024\nsplit: 0\nepochs: "


class Used(NamedTuple):
    """What a command took, with all processes that it started."""

    wall: float
    cpu: float


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def measured(given: argparse.Namespace) -> Found:
    """Wall and processor time of each job: of one thread alone, of all threads alone, and of all threads when busy."""
    found: Found = {"jobs": {}, "others": OTHERS, "cores": available_cores()}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name, as_installed():
        folder = Path(name)
        write(folder, given.quick)
        for job, command in jobs().items():
            say(job)
            run(command, "all", folder)  # once before, for what is compiled and read from the disk
            turns: dict[str, list[Used]] = {"one": [], "all": [], "busy": []}
            for _ in range(given.turns):
                turns["one"].append(run(command, "one", folder))
                turns["all"].append(run(command, "all", folder))
                with busy(OTHERS):
                    turns["busy"].append(run(command, "all", folder))
            found["jobs"][job] = turns
    return found


def jobs() -> dict[str, str]:
    """The commands by what they do; THREADS stands for `one` or `all`."""
    engines = ["numpy", *(["compiled"] if installed("numba") else [])]
    trainings = {
        f"{name}, engine {engine}": f"train THREADS/{file}-{engine}.yaml -q --no-report --runs runs-THREADS"
        for name, file in (("`preset: tabular`, 5,000 rows", "preset"), ("256-1024-1024-1, batch 1,024", "wide"))
        for engine in engines
    }
    return trainings | {
        "`nnfs predict`, 500,000 rows": "predict --run net-THREADS --input new.csv --output answers.csv -q"
    }


def run(command: str, threads: str, folder: Path) -> Used:
    """Run a job, and return what it took."""
    words = [*NNFS, *command.replace("THREADS", threads).split()]
    begun = time.perf_counter()
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command} failed")
    return Used(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime)


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Let other processes use as much of the machine as they get."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    time.sleep(0.5)
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def write(folder: Path, quick: bool) -> None:
    """Write tables, configs and a trained net."""
    rng = np.random.default_rng(0)
    for name, rows, columns in (("table", 5_000, 10), ("wide", 10_240, 256), ("new", 500_000, 20)):
        rows = rows // 20 if quick else rows
        X = rng.standard_normal((rows, columns)).astype("float32")
        y = X[:, 0] * X[:, 1] + np.sin(3 * X[:, 2])
        header = ",".join([*(f"x{i}" for i in range(columns)), "y"])
        np.savetxt(folder / f"{name}.csv", np.column_stack([X, y]), "%.4g", ",", header=header, comments="")
    for threads, limit in (("one", "threads: 1\n"), ("all", "")):
        (folder / threads).mkdir()
        for name, text in (("preset", PRESET), ("wide", f"{WIDE}{1 if quick else 15}\n")):
            text = text.replace("path: ", "path: ../") + limit
            for engine in ("numpy", "compiled"):
                (folder / threads / f"{name}-{engine}.yaml").write_text(f"{text}engine: {engine}\n")
        net = "dataset: {csv: {path: new.csv, target: y}}\nlayers: [linear: 256, relu, linear: 256, relu, linear: 1]\n"
        net += f"loss: mse\nepochs: 1\nbatch_size: 4096\nengine: numpy\nsplit: 0\n{limit}"
        (folder / f"net-{threads}.yaml").write_text(net)
        command = [*NNFS, "train", f"net-{threads}.yaml", "-q", "--no-report", "--runs", "."]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (folder / f"net-{threads}-1").rename(folder / f"net-{threads}")


def markdown(found: Found) -> str:
    """A table: seconds, and multiples of what one thread alone takes and of the fair share."""
    share = min(1.0, found["cores"] / (found["others"] + 1))
    lines = [
        described(found),
        "| seconds | one thread alone | all cores alone | busy | CPU, busy | of one thread | of the fair share |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for job, turns in found["jobs"].items():
        one, alone, beside = (Used(*map(median, zip(*turns[key], strict=True))) for key in ("one", "all", "busy"))
        figures = f"{one.wall:.1f} | {alone.wall:.1f} | {beside.wall:.1f} | {beside.cpu:.1f}"
        lines.append(f"| {job} | {figures} | {beside.cpu / one.cpu:.2f} x | {beside.wall * share / one.cpu:.2f} x |")
    return "\n".join(lines) + "\n"
