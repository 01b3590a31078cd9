"""Time the preset on the tables of the accuracy benchmark, beside an earlier commit, with Numba and without.

Every figure is a whole `nnfs train` of a config that names nothing but the data, on all cores, in a new process. The
commits take turns, table by table. A table is a file of Parquet; four come with scikit-learn, and a folder of more is
described in `tests/benchmarks/tables.py`.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from itertools import chain
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

import numpy as np

from tests.benchmarks.jobs import timed
from tests.benchmarks.part import ROOT, Found, as_installed, described, say
from tests.benchmarks.race import caches
from tests.benchmarks.tables import Task, built_in, in_folder

PACKAGES = ("numpy", "numba", "scikit-learn", "pyarrow")
BEFORE = "bbbfce6"  # the last commit without compiled steps
WITH, WITHOUT = "with Numba", "without"
QUICK = ("wine",)


def options(parser: argparse.ArgumentParser) -> None:
    """More tables, and what they are compared with."""
    parser.set_defaults(turns=3)
    parser.add_argument("folders", nargs="*", type=Path, help="of tables and a description of them")
    parser.add_argument("--tables", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--before", default=BEFORE, help=f"the commit to compare with ({BEFORE})")


def measured(given: argparse.Namespace) -> Found:
    """By table, with Numba or without, before or now: what every turn took."""
    found: dict[str, Any] = {}
    wanted = QUICK if given.quick else given.tables
    with (
        tempfile.TemporaryDirectory(prefix="nnfs-preset-") as name,
        as_installed(**caches(name)),
    ):
        before = Path(name, "before")
        check_out(given.before, before)
        for task in chain(built_in(), *map(in_folder, given.folders)):
            if wanted and task.name not in wanted:
                continue
            say(f"{task.name}: {task.table.n_rows:,} rows")
            folder = Path(name, task.name)
            write(task, folder)
            arms = {WITH: {}, WITHOUT: {"NUMBA_DISABLE_JIT": "1"}}
            for code in (before, ROOT):  # for the caches of compiled code
                train(folder, {"PYTHONPATH": str(code)})
            of: dict[str, dict[str, list[Any]]] = {arm: {"before": [], "now": []} for arm in arms}
            for _ in range(given.turns):
                for arm, variables in arms.items():
                    for when, code in {"before": before, "now": ROOT}.items():
                        of[arm][when].append(train(folder, {**variables, "PYTHONPATH": str(code)}))
            found[task.name] = {"rows": task.table.n_rows, "columns": len(task.kinds), **of}
    return {"turns": given.turns, "before": given.before, "tables": found}


def check_out(commit: str, folder: Path) -> None:
    """Write the files of a commit into a folder."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(folder, filter="data")


def write(task: Task, folder: Path) -> None:
    """Write the rows and the config."""
    from nnfs_cli.data.write_table import writer_for

    folder.mkdir()
    y = np.array(task.words, object)[task.y] if task.n_classes else task.y
    with (folder / "rows.parquet").open("wb") as file, writer_for(".parquet", file) as writer:
        writer.write({**task.table.columns, "the target": y})
    (folder / "table.yaml").write_text("dataset: {parquet: {path: rows.parquet, target: the target}}\n")


def train(folder: Path, variables: dict[str, str]) -> dict[str, float]:
    """Train once, and tell what it took and how good the net is on the validation rows."""
    seconds, cpu, megabytes = timed([sys.executable, "-m", "nnfs_cli", "train", "table.yaml"], folder, variables)
    (run,) = (folder / "runs").glob("table-*")
    training = float((run / "epochs.csv").read_text().splitlines()[-1].split(",")[2])
    loss = json.loads((run / "metrics.json").read_text())["validation"]["loss"]
    shutil.rmtree(folder / "runs")
    return {"whole command": seconds, "CPU": cpu, "training alone": training, "megabytes": megabytes, "loss": loss}


def markdown(found: Found) -> str:
    """Seconds of every table before and now, and the geometric means."""
    tables = found["tables"]
    lines = [
        described(found) + f"Each figure is the median of {found['turns']} turns. Before: {found['before']}.",
        "",
        f"| seconds | before | now | {WITHOUT}: before | now |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, of in tables.items():
        cells = []
        for arm in (WITH, WITHOUT):
            before, now, ratio = compared(of[arm], "whole command")
            cells.append(f"{before:.2f} | {now:.2f} ({ratio:.2f} x)")
        lines.append(f"| {name}, {of['rows']:,} x {of['columns']} | " + " | ".join(cells) + " |")
    for what in ("whole command", "training alone", "CPU"):
        cells = []
        for arm in (WITH, WITHOUT):
            befores, nows, ratios = zip(*(compared(of[arm], what) for of in tables.values()), strict=True)
            cells.append(
                f"{geometric_mean(befores):.2f} | **{geometric_mean(nows):.2f} ({geometric_mean(ratios):.2f} x)**"
            )
        lines.append(f"| geometric mean, {what} | " + " | ".join(cells) + " |")
    losses = [1 / compared(of[WITH], "loss")[2] for of in tables.values()]
    lines += [
        "",
        "In parentheses: how many times as long it took before. The loss on the validation rows is"
        f" {geometric_mean(losses):.3f} times that of before",
        f"with Numba, in the geometric mean, and between {min(losses):.2f} and {max(losses):.2f} times.",
    ]
    return "\n".join(lines) + "\n"


def compared(of: dict[str, list[dict[str, float]]], what: str) -> tuple[float, float, float]:
    """The medians before and now, and the median of the ratios of all turns."""
    before, now = ([turn[what] for turn in of[when]] for when in ("before", "now"))
    return median(before), median(now), median(a / b for a, b in zip(before, now, strict=True))
