"""Measure how the time and the memory of `nnfs train` grow with rows, columns, classes and members, and draw it.

Every point is a whole `nnfs train` of a table in a CSV file, in a new process, with one of these varied. A curve is
fitted by a constant, which is what every start costs, and a power. The picture tells the exponent; linear growth has 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import yaml

from tests.benchmarks.jobs import timed
from tests.benchmarks.part import ROOT, Found, as_installed, described, say
from tests.benchmarks.race import caches

PACKAGES = ("numpy", "numba", "pyarrow")
COLOURS = {"compiled": "#1d4e89", "numpy": "#a3271b"}  # of the engines
PICTURE = ROOT / ".readme" / "growth.png"
QUANTITIES = {"seconds": 0, "megabytes": 2}  # of what `timed` returns


@dataclass(frozen=True)
class Training:
    """A table of random numbers and a net with a hidden layer."""

    rows: int = 5_000
    columns: int = 10
    classes: int = 2
    members: int = 1
    units: int = 64
    batch: int = 64
    epochs: int = 10

    def write(self, folder: Path, engine: str) -> None:
        """Write the table and the config."""
        import pyarrow as pa
        from pyarrow import csv

        rng = np.random.default_rng(0)
        y = rng.integers(self.classes, size=self.rows)
        columns = {f"x{j}": (rng.standard_normal(self.rows) + y * (j == 0)).round(3) for j in range(self.columns)}
        csv.write_csv(pa.table({**columns, "y": [f"c{k}" for k in y]}), folder / "rows.csv")
        config = {
            "dataset": {"csv": {"path": "rows.csv", "target": "y"}},
            "layers": [{"linear": self.units}, "relu", {"linear": self.classes}, "softmax"],
            "loss": "cross_entropy",
            "optimizer": "adam",
            "batch_size": self.batch,
            "epochs": self.epochs,
            "members": self.members,
            "engine": engine,
        }
        (folder / "rows.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


CURVES: dict[str, tuple[Training, tuple[int, ...]]] = {  # what is varied: the rest, and the values
    "rows": (
        Training(columns=5, units=16, batch=1_000, epochs=1),
        (1_000, 10_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
    ),
    "columns": (Training(rows=1_000, units=16, epochs=3), (10, 100, 300, 1_000, 3_000, 10_000)),
    "classes": (Training(rows=10_000, epochs=20), (2, 10, 30, 100, 300, 1_000)),
    "members": (Training(columns=20, epochs=20), (1, 2, 4, 8, 16, 32, 64)),
}


def options(parser: argparse.ArgumentParser) -> None:
    """Which curves, and where the picture goes."""
    parser.set_defaults(turns=3)
    parser.add_argument("--curves", nargs="+", choices=CURVES, default=[*CURVES], help="all unless given")
    parser.add_argument("--engines", nargs="+", choices=COLOURS, default=[*COLOURS], help="both unless given")
    parser.add_argument("--picture", type=Path, help="another file for the picture")


def measured(given: argparse.Namespace) -> Found:
    """By curve, engine and value: seconds, CPU seconds and megabytes, each the median of the turns; draws them, too."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="nnfs-growth-") as kept, as_installed(**caches(kept), PYTHONPATH=str(ROOT)):
        for curve in given.curves:
            base, values = CURVES[curve]
            found[curve] = {engine: {} for engine in given.engines}
            for engine in given.engines:  # for what is compiled and read from the disk
                once(replace(base, **{curve: values[0]}), engine)
            for value in values[:3] if given.quick else values:
                say(f"{value:,} {curve}")
                for engine in given.engines:
                    turns = [once(replace(base, **{curve: value}), engine) for _ in range(given.turns)]
                    found[curve][engine][str(value)] = [median(of) for of in zip(*turns, strict=True)]
    if picture := given.picture or (None if given.quick else PICTURE):
        draw(found, picture)
    return {"turns": given.turns, "curves": found}


def once(training: Training, engine: str) -> tuple[float, float, float]:
    """Seconds, CPU seconds and megabytes of one `nnfs train`."""
    with tempfile.TemporaryDirectory(prefix="nnfs-growth-") as name:
        writing = multiprocessing.get_context("spawn").Process(target=training.write, args=(Path(name), engine))
        writing.start()  # in a process of its own, because a new process counts the memory of the one that starts it
        writing.join()
        return timed([sys.executable, "-m", "nnfs_cli", "train", "rows.yaml"], Path(name), {})


def exponent(values: list[float], measured: list[float]) -> float:
    """The p of the best fit of a + b n^p, where all errors count relative to the measured value."""
    from scipy.optimize import least_squares

    n, y = np.array(values) / values[-1], np.array(measured)

    def errors(p: np.ndarray) -> np.ndarray:
        return np.log(np.exp(p[0]) + np.exp(p[1]) * n ** p[2]) - np.log(y)

    start = [np.log(y[0] / 2), np.log(y[-1]), 1.0]
    return float(least_squares(errors, start, bounds=([-20, -20, 0], [20, 20, 3])).x[2])


def exponents(of_engine: dict[str, list[float]], quantity: str) -> float:
    """That of a curve."""
    return exponent([float(n) for n in of_engine], [figures[QUANTITIES[quantity]] for figures in of_engine.values()])


def draw(found: dict[str, Any], file: Path) -> None:
    """A panel for each curve, seconds above and memory below."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(
        2, len(found), figsize=(9, 4.8), sharex="col", sharey="row", layout="constrained", squeeze=False
    )
    for column, (curve, engines) in enumerate(found.items()):
        for row, (quantity, index) in enumerate(QUANTITIES.items()):
            panel = panels[row][column]
            for engine, points in engines.items():
                label = f"n$^{{{exponents(points, quantity):.2f}}}$"
                y = [figures[index] for figures in points.values()]
                panel.plot([*map(int, points)], y, "o-", ms=3, color=COLOURS[engine], label=label)
            panel.set(xscale="log", yscale="log")
            panel.minorticks_off()
            panel.spines[["top", "right"]].set_visible(False)
            panel.legend(frameon=False, fontsize=8, loc="upper left", handlelength=1.2)
        panels[-1][column].set_xlabel(curve)
    for row, quantity in enumerate(QUANTITIES):
        panels[row][0].set_ylabel(quantity)
    for engine, x in zip(next(iter(found.values())), (0.02, 0.14), strict=False):
        figure.text(x, 1.03, engine, color=COLOURS[engine], fontsize=9, fontweight="bold")
    figure.savefig(file, dpi=110, metadata={"Software": None}, bbox_inches="tight")


def markdown(found: Found) -> str:
    """The last point of every curve, and the exponents."""
    engines = [*next(iter(found["curves"].values()))]
    lines = [
        described(found) + f"Each point is the median of {found['turns']} turns.",
        "",
        "| up to | engine | seconds | time grows as | MB | memory grows as |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for curve, by_engine in found["curves"].items():
        for engine in engines:
            points = by_engine[engine]
            last = [*points][-1]
            seconds, _, megabytes = points[last]
            lines.append(
                f"| {int(last):,} {curve} | {engine} | {seconds:,.1f} | n^{exponents(points, 'seconds'):.2f} |"
                f" {megabytes:,.0f} | n^{exponents(points, 'megabytes'):.2f} |"
            )
    return "\n".join(lines) + "\n"
