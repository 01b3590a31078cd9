"""Explain the predictions for a million rows of 20 columns, with the three main reasons of each.

The rows come from a Parquet file, and predictions and reasons are written to another one. Beside it, the same rows are
only predicted. The preset is trained on 20,000 rows; with its trees, a fifth of the rows is explained.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

from nnfs_cli.explain.attributions import SAMPLES as SAMPLES_USUAL
from tests.benchmarks.jobs import timed
from tests.benchmarks.part import ROOT, Found, as_installed, described, say
from tests.benchmarks.predict import COLUMNS, NETS, NNFS, TRAINED_ON

PACKAGES = ("numpy", "pyarrow", "numba")
ROWS, FEW_ROWS = 1_000_000, 2_000
SAMPLES = (0, SAMPLES_USUAL)  # 0: without reasons


def rows_for(net: str, rows: int) -> int:
    """How many of the rows are explained."""
    return rows // 5 if "blend" not in NETS[net] and "preset" in NETS[net] else rows


def prepare(folder: Path, rows: int) -> None:
    """Write the tables, and train the nets on other rows of their kind."""
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(0)
    columns = {f"x{j}": rng.standard_normal(rows) for j in range(COLUMNS)}
    for number, net in enumerate(NETS):
        parquet.write_table(pa.table(columns).slice(0, rows_for(net, rows)), folder / f"rows{number}.parquet")
    some = {f"x{j}": rng.standard_normal(TRAINED_ON) for j in range(COLUMNS)}
    y = np.sin(some["x0"] * some["x1"]) + some["x2"] ** 2 + some["x3"] * some["x4"] + some["x5"]
    parquet.write_table(pa.table({**some, "y": y}), folder / "some.parquet")
    for number, net in enumerate(NETS.values()):
        config = folder / f"net{number}.yaml"
        config.write_text(
            f"dataset: {{parquet: {{path: some.parquet, target: y}}}}\nloss: mse\nepochs: 2\n{net}", "utf-8"
        )
        timed([*NNFS, "train", config.name, "-q"], folder, {})


def options(parser: argparse.ArgumentParser) -> None:
    """Fewer turns, and fewer rows if asked for."""
    parser.set_defaults(turns=1)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows to explain (default: %(default)s)")


def measured(given: argparse.Namespace) -> Found:
    """Seconds, CPU seconds and megabytes at the most of every turn, by net and by the number of samples."""
    rows = FEW_ROWS if given.quick else given.rows
    of: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    with tempfile.TemporaryDirectory(prefix="nnfs-explain-") as name, as_installed(PYTHONPATH=str(ROOT)):
        folder = Path(name)
        prepare(folder, rows)
        for number, net in enumerate(NETS):
            for samples in SAMPLES:
                say(f"{net}, {samples} samples")
                asked = ["--explain", "3", "--samples", str(samples)] if samples else []
                command = [*NNFS, "predict", "--run", f"runs/net{number}-1", "--input", f"rows{number}.parquet", *asked]
                turns = [timed([*command, "--output", "answers.parquet"], folder, {}) for _ in range(given.turns)]
                of.setdefault(net, {})[str(samples)] = turns
    return {"turns": given.turns, "rows": rows, "nets": of}


def markdown(found: Found) -> str:
    """A row for each net and each number of samples."""
    lines = [
        described(found),
        f"| {COLUMNS} columns | rows | samples | rows a second | rows a CPU second | memory |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for net, by_samples in found["nets"].items():
        for samples, turns in by_samples.items():
            wall, cpu, memory = (median(side) for side in zip(*turns, strict=True))
            shown = samples if samples != "0" else "no reasons"
            rows = rows_for(net, found["rows"])
            lines.append(f"| {net} | {rows:,} | {shown} | {rows / wall:,.0f} | {rows / cpu:,.0f} | {memory:,.0f} MB |")
    return "\n".join(lines) + "\n"
